import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { alterations } from "../trigger/alterations.ts";
import { EventLog } from "../trigger/event-log.ts";

const fixture = databaseFixture(["pgq"]);

const setUp = (
  form: string,
): string => `select pgq.create_queue('q'); create table t (id int primary key, a text, n int);
  select pgq.create_capture('t', 'cap', 'q', i_form => '${form}');
  insert into t values (-1, 'x', 5); insert into t values (-2, 'x', 5)`;

for (const form of ["row", "set"]) {
  for (const who of ["this session", "another session"]) {
    test(`capture in ${form} form follows its table when ${who} alters it`, async () => {
      const { db, another } = await fixture.database();
      await db.execute(setUp(form));
      const log = new EventLog(db);
      await log.added();
      const other = who === "this session" ? db : await another();
      let id = 0;
      for (const [alter, values, data] of alterations) {
        await other.execute(alter);
        for (let round = 0; round < 2; round++) {
          id += 2;
          const events = await log.of(`insert into t values (${id}, ${values}), (${id + 1}, ${values})`);
          deepEqual(
            events.map((event) => event.data),
            [`{"id":${id},${data}}`, `{"id":${id + 1},${data}}`],
            `${alter}, statement ${round}`,
          );
        }
        const [updated] = await log.of(`update t set id = id where id = ${id}`);
        equal(updated?.data, `{"id":${id},${data}}`, alter);
        const [deleted] = await log.of(`delete from t where id = ${id}`);
        equal(deleted?.data, `{"id":${id},${data}}`, alter);
      }
    });
  }

  test(`capture in ${form} form: another key, then none`, async () => {
    const { db, another } = await fixture.database();
    await db.execute(setUp(form));
    const other = await another();
    const log = new EventLog(db);
    await log.added();
    await other.execute("alter table t drop constraint t_pkey, add primary key (a, id)");
    const [updated] = await log.of("update t set n = 7 where id = -1");
    equal(updated?.type, '{"op":"UPDATE","table":["public","t"],"pkey":["a","id"]}');
    deepEqual(
      (await log.of("update t set a = 'y' where id = -1")).map((event) => event.type?.slice(0, 14)),
      ['{"op":"DELETE"', '{"op":"INSERT"'],
    );
    await other.execute("alter table t drop constraint t_pkey");
    await rejects(db.execute("delete from t"), /Update\/Delete on table without pkey/);
    equal(
      (await log.of("insert into t values (3, 'z')"))[0]?.type,
      '{"op":"INSERT","table":["public","t"],"pkey":[]}',
    );
    await other.execute("alter table t add primary key (id)");
    equal(
      (await log.of("delete from t where id = 3"))[0]?.type,
      '{"op":"DELETE","table":["public","t"],"pkey":["id"]}',
    );
  });

  test(`capture in ${form} form: renamed table and schema`, async () => {
    const { db, another } = await fixture.database();
    await db.execute(`create schema s; ${setUp(form)}`);
    const other = await another();
    const log = new EventLog(db);
    await log.added();
    await other.execute("alter table t rename to t2");
    equal((await log.of("insert into t2 values (2, 'x', 5)"))[0]?.extra[0], "public.t2");
    await other.execute("alter table t2 set schema s");
    equal((await log.of("insert into s.t2 values (3, 'x', 5)"))[0]?.extra[0], "s.t2");
    await other.execute("alter schema s rename to s2");
    const [event] = await log.of("insert into s2.t2 values (4, 'x', 5)");
    equal(event?.extra[0], "s2.t2");
    equal(event?.type, '{"op":"INSERT","table":["s2","t2"],"pkey":["id"]}');
  });
}

test("while another transaction renews the function, rows are logged without it and without waiting", async () => {
  const { db, another } = await fixture.database();
  await db.execute(`${setUp("set")}; alter table t add column more int default 9`);
  const first = await another();
  await first.execute("begin; insert into t values (1, 'x', 5)");
  const second = await another();
  await second.execute("set lock_timeout = '10s'; insert into t values (2, 'x', 5)");
  await first.execute("rollback");
  equal(await db.queryValue("select is_current from pgq.get_capture_info()"), false);
  await second.execute("insert into t values (3, 'x', 5)");
  equal(await db.queryValue("select is_current from pgq.get_capture_info()"), true);
  deepEqual(
    (await db.query<{ ev_data: string }>("select ev_data from pgq.event_1 order by ev_id offset 2")).map(
      (row) => row.ev_data,
    ),
    ['{"id":2,"a":"x","n":5,"more":9}', '{"id":3,"a":"x","n":5,"more":9}'],
  );
});

test("an event trigger that refuses DDL does not refuse rows", async () => {
  const { db } = await fixture.database();
  await db.execute(`${setUp("set")}; alter table t add column more int default 9;
    create function no_ddl() returns event_trigger language plpgsql as $$ begin raise exception 'no ddl today'; end $$;
    create event trigger no_ddl on ddl_command_end execute function no_ddl()`);
  const log = new EventLog(db);
  await log.added();
  equal((await log.of("insert into t values (1, 'x', 5)"))[0]?.data, '{"id":1,"a":"x","n":5,"more":9}');
  equal((await log.of("update t set n = 6 where id = 1"))[0]?.data, '{"id":1,"a":"x","n":6,"more":9}');
});

test("refreshing needs no right on the tables, and renews what is stale", async () => {
  const { db, another } = await fixture.database();
  await db.execute(`${setUp("set")}; alter table t add column more int default 9;
    create role keeper_${process.pid} login in role pgq_admin`);
  const keeper = await another({ user: `keeper_${process.pid}` });
  equal(await keeper.queryValue("select is_current from pgq.get_capture_info()"), false);
  await keeper.execute("select pgq.refresh_captures()");
  equal(await keeper.queryValue("select is_current from pgq.get_capture_info()"), true);
});

test("a transaction whose snapshot is older than the table's shape fails instead of losing a column", async () => {
  for (const form of ["row", "set"]) {
    const { db, another } = await fixture.database();
    await db.execute(setUp(form));
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
  }
});

test("capture code does not look into the catalogs for a row or a statement", async () => {
  for (const form of ["row", "set"]) {
    const { db } = await fixture.database();
    await db.execute(setUp(form));
    const scans = `select coalesce(sum(seq_scan + idx_scan), 0)::int8 from pg_stat_xact_sys_tables
      where relname in ('pg_attribute', 'pg_class', 'pg_index', 'pg_type', 'pg_proc', 'pg_trigger', 'pg_inherits')`;
    const inserts = "do $$ begin for i in 1..500 loop insert into t values (i, 'x', i); end loop; end $$";
    await db.execute(`begin; ${inserts}; delete from t`);
    const before = (await db.queryValue<bigint>(scans)) ?? 0n;
    await db.execute(inserts);
    const after = (await db.queryValue<bigint>(scans)) ?? 0n;
    await db.execute("commit");
    ok(after - before < 50n, `${form}: ${after - before} catalog scans for 500 statements`);
  }
});
