import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture, type Session } from "../fixture.ts";
import { call } from "./queue.ts";

const fixture = databaseFixture(["pgq", "pgq_coop", "pgq_ext"]);

async function databaseWithUsers(): Promise<Session> {
  const session = await fixture.database();
  const exists = await session.db.queryValue("select count(*) > 0 from pg_roles where rolname = 'nobody'");
  if (exists === true) return session;
  await session.db.execute("create role nobody login");
  for (const name of ["reader", "writer", "admin"]) {
    await session.db.execute(`create role ${name} login in role pgq_${name}`);
  }
  return session;
}

test("a definer function pins its search path, or qualifies everything", async () => {
  const { db } = await databaseWithUsers();
  const rows = await db.query<{ name: string }>(`
    select distinct proname as name from pg_proc
     where pronamespace::regnamespace::text in ('pgq', 'pgq_coop', 'pgq_ext') and prosecdef
       and not coalesce(proconfig, '{}') @> '{"search_path=pg_catalog, pg_temp"}' order by 1`);
  // Tested against a hostile search path in insert.test.ts.
  deepEqual(
    rows.map((row) => row.name),
    ["insert_event"],
  );
});

const denied = (error: { sqlState?: string }): boolean => error.sqlState === "42501";

test("producer, consumer and administrator each do their work and no other", async () => {
  const { another } = await databaseWithUsers();
  const admin = await another({ user: "admin" });
  const writer = await another({ user: "writer" });
  const reader = await another({ user: "reader" });
  const nobody = await another({ user: "nobody" });
  equal(await call(admin, "pgq.create_queue", "q"), 1);
  await rejects(call(writer, "pgq.create_queue", "p"), /permission denied for function create_queue/);
  await rejects(call(reader, "pgq.create_queue", "p"), /permission denied for function create_queue/);
  equal(await call(writer, "pgq.insert_event", "q", "t", "d"), 1n);
  await writer.query("select pgq.insert_events('q', '{t}', '{d}')");
  await rejects(call(reader, "pgq.insert_event", "q", "t", "d"), denied);
  await rejects(call(nobody, "pgq.insert_event", "q", "t", "d"), denied);
  await rejects(call(writer, "pgq.register_consumer", "q", "c"), denied);
  equal(await call(reader, "pgq.register_consumer", "q", "c"), 1);
  equal(await call(reader, "pgq.next_batch", "q", "c"), null);
  const table = await call<string>(writer, "pgq.current_event_table", "q");
  await rejects(writer.query(`insert into ${table} (ev_time) values (now())`), denied);
  await admin.query(`insert into ${table} (ev_time) values (now())`);
  await rejects(call(reader, "pgq.ticker", "q"), denied);
  ok(await call(reader, "pgq.force_tick", "q"));
  ok(await call(admin, "pgq.ticker", "q"));

  const batch = await call<bigint>(reader, "pgq.next_batch", "q", "c");
  equal((await reader.query("select * from pgq.get_batch_events($1)", [batch])).length, 3);
  equal(await reader.queryValue("select pgq.event_retry($1, 1, 0)", [batch]), 1);
  equal(await call(reader, "pgq.event_failed", batch, 2n, "x"), 1);
  equal((await reader.query("select * from pgq.failed_event_list('q', 'c')")).length, 1);
  await rejects(reader.query("select * from pgq.failed_queue"), denied);
  equal(await call(reader, "pgq.finish_batch", batch), 1);
  await rejects(call(writer, "pgq.get_batch_events", batch), denied);
  await rejects(call(reader, "pgq.maint_retry_events"), denied);
  equal(await call(admin, "pgq.maint_retry_events"), 1);
});

test("an administrator rotates, and leaves to the owner what only owners may do", async () => {
  const { db, another } = await databaseWithUsers();
  const admin = await another({ user: "admin" });
  await call(admin, "pgq.create_queue", "q");
  await call(admin, "pgq.set_queue_config", "q", "rotation_period", "0");
  await call(admin, "pgq.maint_rotate_tables_step1", "q");
  await call(admin, "pgq.maint_rotate_tables_step2");
  equal(await db.queryValue("select queue_cur_table from pgq.queue"), 1);
  await admin.query("select * from pgq.maint_operations()");
  equal(
    await db.queryValue("select count(*) from pg_class where relname like 'event\\_1%' and relowner <> 10"),
    0n,
  );
  await rejects(call(admin, "pgq.tune_storage", "q"), denied);
  await rejects(call(admin, "pgq.seq_setval", "pgq.event_1_id_seq", 5000n), denied);
  await rejects(admin.query("update pgq.event_1_1 set ev_data = ''"), denied);
  await rejects(admin.query("delete from pgq.event_1_1"), denied);
});

test("a filter runs with the rights of who gives it", async () => {
  const { db, another } = await databaseWithUsers();
  await db.execute("create table secret (id int)");
  await call(db, "pgq.create_queue", "q");
  await db.execute("update pgq.queue set queue_ticker_max_lag = '0', queue_ticker_idle_period = '0'");
  await call(db, "pgq.register_consumer", "q", "c");
  await call(db, "pgq.insert_event", "q", "t", "d");
  await call(db, "pgq.ticker");
  const reader = await another({ user: "reader" });
  const batch = await call<bigint>(reader, "pgq.next_batch", "q", "c");
  const cursor = (where: string): Promise<unknown> =>
    reader.query("select * from pgq.get_batch_cursor($1, 'x', 5, $2)", [batch, where]);
  await cursor("ev_id in (select 1)");
  await rejects(cursor("exists (select from secret)"), denied);
});

test("names do not inject", async () => {
  const { db } = await databaseWithUsers();
  const name = `a'; drop table pgq.tick; --"$$ \\ %s`;
  await call(db, "pgq.create_queue", name);
  await call(db, "pgq.set_queue_config", name, "ticker_max_lag", "0");
  await call(db, "pgq.register_consumer", name, name);
  await call(db, "pgq.insert_event", name, name, name);
  await db.query("select pgq.insert_events($1, $2, $2)", [name, [name]]);
  await call(db, "pgq.ticker", name);
  const batch = await call<bigint>(db, "pgq.next_batch", name, name);
  equal((await db.query("select * from pgq.get_batch_cursor($1, $2, 5, null)", [batch, name])).length, 2);
  await rejects(call(db, "pgq.seq_getval", name));
  await call(db, "pgq.rename_queue", name, `${name}2`);
  equal(await call(db, "pgq.drop_queue", `${name}2`, true), 1);
});

async function names(db: Database, sql: string): Promise<string[]> {
  return (await db.query<{ name: string }>(sql)).map((row) => row.name);
}

test("grants of event_template reach new queues, and older ones through grant_perms", async () => {
  const { db } = await databaseWithUsers();
  await call(db, "pgq.create_queue", "old");
  await db.execute("grant select on pgq.event_template to nobody with grant option");
  await db.execute("grant insert on pgq.event_template to public");
  await call(db, "pgq.create_queue", "new");
  const open = (): Promise<string[]> =>
    names(
      db,
      `select relname as name from pg_class where relname ~ '^event_[12]' and relkind = 'r'
          and has_table_privilege('nobody', oid, 'select with grant option')
          and has_table_privilege('nobody', oid, 'insert') order by 1`,
    );
  deepEqual(await open(), ["event_2", "event_2_0", "event_2_1", "event_2_2"]);
  equal(await call(db, "pgq.grant_perms", "old"), 1);
  equal((await open()).length, 8);
  await rejects(call(db, "pgq.grant_perms", "nosuch"), /Queue not found/);
});
