import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { alterations } from "./alterations.ts";
import { EventLog } from "./event-log.ts";

const fixture = databaseFixture(["pgq"]);

const setUp = `select pgq.create_queue('q'); create table t (id int primary key, a text, n int);
  create trigger j after insert or update or delete on t for each row execute function pgq.jsontriga('q')`;

test("a trigger follows its table when this session alters it", async () => {
  const { db } = await fixture.database();
  await db.execute(setUp);
  const log = new EventLog(db);
  await log.of("insert into t values (0, 'x', 5)");
  await log.of("insert into t values (1, 'x', 5)");
  for (const [nr, [alter, values, data]] of alterations.entries()) {
    const [event] = await log.of(`${alter}; insert into t values (${nr + 2}, ${values})`);
    equal(event?.data, `{"id":${nr + 2},${data}}`, alter);
  }
});

test("a trigger follows its table when another session alters it", async () => {
  const { db, another } = await fixture.database();
  await db.execute(setUp);
  const other = await another();
  const log = new EventLog(db);
  await log.of("insert into t values (0, 'x', 5)");
  await log.of("insert into t values (1, 'x', 5)");
  for (const [nr, [alter, values, data]] of alterations.entries()) {
    await other.execute(alter);
    const [event] = await log.of(`insert into t values (${nr + 2}, ${values})`);
    equal(event?.data, `{"id":${nr + 2},${data}}`, alter);
  }
});

test("an alteration that is rolled back leaves no trace", async () => {
  const { db, another } = await fixture.database();
  await db.execute(setUp);
  const log = new EventLog(db);
  await log.of("insert into t values (0, 'x', 5), (1, 'x', 5)");
  await db.execute("begin; alter table t add column more int; insert into t values (2, 'x', 5, 6); rollback");
  equal((await log.of("insert into t values (3, 'x', 5)"))[0]?.data, '{"id":3,"a":"x","n":5}');
  const other = new EventLog(await another());
  await other.added();
  equal((await other.of("insert into t values (4, 'x', 5)"))[0]?.data, '{"id":4,"a":"x","n":5}');
});

test("another primary key is used at once", async () => {
  const { db, another } = await fixture.database();
  await db.execute(setUp);
  const other = await another();
  const log = new EventLog(db);
  await log.of("insert into t values (1, 'x', 5)");
  await log.of("update t set n = 6");
  await other.execute("alter table t drop constraint t_pkey, add primary key (a, id)");
  equal(
    (await log.of("update t set n = 7"))[0]?.type,
    '{"op":"UPDATE","table":["public","t"],"pkey":["a","id"]}',
  );
  await rejects(db.execute("update t set a = 'y'"), /primary key update not allowed/);
  await other.execute("alter table t drop constraint t_pkey");
  await rejects(db.execute("update t set n = 8"), /Update\/Delete on table without pkey/);
});

test("a renamed table or schema is logged under its new name", async () => {
  const { db, another } = await fixture.database();
  await db.execute(`create schema s; ${setUp}`);
  const other = await another();
  const log = new EventLog(db);
  await log.of("insert into t values (0, 'x', 5)");
  await log.of("insert into t values (1, 'x', 5)");
  await other.execute("alter table t rename to t2");
  equal((await log.of("insert into t2 values (2, 'x', 5)"))[0]?.extra[0], "public.t2");
  await other.execute("alter table t2 set schema s");
  equal((await log.of("insert into s.t2 values (3, 'x', 5)"))[0]?.extra[0], "s.t2");
  await other.execute("alter schema s rename to s2");
  const [event] = await log.of("insert into s2.t2 values (4, 'x', 5)");
  equal(event?.extra[0], "s2.t2");
  equal(event?.type, '{"op":"INSERT","table":["s2","t2"],"pkey":["id"]}');
});

test("sessions that compile the same trigger at once do not wait for each other", async () => {
  const { db, another } = await fixture.database();
  await db.execute(setUp);
  const first = await another();
  const second = await another();
  await second.execute("set statement_timeout = '20s'; set lock_timeout = '10s'");
  await first.execute("begin; insert into t values (1, 'x', 5)");
  equal(
    await db.queryValue("select count(*) from pg_proc where proname ~ '^row_json_'"),
    0n,
    "not committed",
  );
  await second.execute("insert into t values (2, 'x', 5)");
  await first.execute("commit");
  await second.execute("insert into t values (3, 'x', 5)");
  deepEqual(
    await db.query("select ev_data from pgq.event_1 order by ev_id"),
    [1, 2, 3].map((id) => ({ ev_data: `{"id":${id},"a":"x","n":5}` })),
  );
});

test("an event trigger that refuses DDL does not refuse rows", async () => {
  const { db } = await fixture.database();
  await db.execute(`${setUp};
    create function no_ddl() returns event_trigger language plpgsql as $$ begin raise exception 'no ddl today'; end $$;
    create event trigger no_ddl on ddl_command_end execute function no_ddl()`);
  const log = new EventLog(db);
  equal((await log.of("insert into t values (1, 'x', 5)"))[0]?.data, '{"id":1,"a":"x","n":5}');
  equal((await log.of("insert into t values (2, 'x', 5)"))[0]?.data, '{"id":2,"a":"x","n":5}');
});

test("a transaction whose snapshot is older than the table's shape fails instead of losing a column", async () => {
  const { db, another } = await fixture.database();
  await db.execute(setUp);
  await db.execute("insert into t values (0, 'x', 5); insert into t values (1, 'x', 5)");
  const old = await another();
  await old.execute("begin isolation level repeatable read; select 1 from pgq.queue");
  await db.execute("alter table t add column more int default 9");
  await rejects(
    old.execute("insert into t values (2, 'x', 5)"),
    /was altered after the snapshot of this transaction/,
  );
  await old.execute(
    "rollback; begin isolation level repeatable read; insert into t values (2, 'x', 5); commit",
  );
  equal(
    await db.queryValue("select ev_data from pgq.event_1 order by ev_id desc limit 1"),
    '{"id":2,"a":"x","n":5,"more":9}',
  );
});

test("compiled triggers do not look into the catalogs for a row", async () => {
  const { db } = await fixture.database();
  await db.execute(setUp);
  await db.execute("insert into t values (-1, 'x', 5); insert into t values (-2, 'x', 5)");
  const scans = `select coalesce(sum(seq_scan + idx_scan), 0)::int8 from pg_stat_xact_sys_tables
    where relname in ('pg_attribute', 'pg_class', 'pg_index', 'pg_type', 'pg_proc', 'pg_trigger', 'pg_namespace')`;
  await db.execute("begin");
  await db.execute("insert into t select i, 'x', i from generate_series(1, 100) i");
  const before = (await db.queryValue<bigint>(scans)) ?? 0n;
  await db.execute("insert into t select i, 'x', i from generate_series(101, 1100) i");
  const after = (await db.queryValue<bigint>(scans)) ?? 0n;
  await db.execute("commit");
  ok(after - before < 100n, `${after - before} catalog scans for 1000 rows`);
});
