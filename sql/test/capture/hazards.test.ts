import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import { databaseFixture } from "../fixture.ts";
import { EventLog } from "../trigger/event-log.ts";
import { difference, replayFunction } from "./replay.ts";

// Where the set form of a capture could log the wrong thing, or in the wrong order.

const fixture = databaseFixture(["pgq"]);
const table = "(id int primary key, v text, u int unique)";

interface Captured {
  readonly db: Database;
  /** operations and ids that statements log: `I1 U2` */
  readonly operations: (sql: string) => Promise<string>;
  readonly form: () => Promise<unknown>;
  /** replays what was logged since the last call onto a copy, which then has to be equal */
  readonly replayIsEqual: () => Promise<void>;
}

async function captured(definition = table, form = "set"): Promise<Captured> {
  const { db } = await fixture.database();
  await db.execute(`${replayFunction} select pgq.create_queue('q'); create table t ${definition};
    create table copy ${definition.replace(/references t[^),]*/, "")};
    select pgq.create_capture('t', 'cap', 'q', i_form => '${form}')`);
  const log = new EventLog(db);
  return {
    db,
    operations: async (sql) =>
      (await log.of(sql))
        .map((event) => {
          const { op } = JSON.parse(event.type ?? "") as { op: string };
          return `${op[0]}${(JSON.parse(event.data ?? "") as { id?: number }).id ?? ""}`;
        })
        .join(" "),
    form: () => db.queryValue("select form from pgq.get_capture_info('t') where trigger_name = 'cap'"),
    replayIsEqual: async () => {
      await db.execute("select replay('q', 'copy')");
      deepEqual(await difference(db, "t", "copy"), []);
    },
  };
}

test("one event a row, one statement at a time", async () => {
  const { operations, form, replayIsEqual } = await captured();
  equal(await form(), "set");
  equal(await operations("insert into t values (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)"), "I1 I2 I3");
  equal(await operations("update t set v = v || '!' where id > 1"), "U2 U3");
  equal(await operations("update t set v = v where false"), "");
  equal(await operations("delete from t where id = 2"), "D2");
  equal(await operations("truncate t; insert into t values (9)"), "T I9");
  await replayIsEqual();
});

test("a changed key is logged as delete and insert, also where keys are handed on", async () => {
  for (const form of ["set", "row"]) {
    const { db, operations, replayIsEqual } = await captured("(id int primary key deferrable, v text)", form);
    await db.execute("insert into t values (1, 'a'), (2, 'b'), (3, 'c')");
    await operations("update t set id = 10 where id = 1");
    await replayIsEqual();
    if (form === "row") continue;
    equal(await operations("update t set id = case id when 2 then 3 when 3 then 2 else id end"), "U3 U2 U10");
    equal(await operations("update t set id = id + 1"), "D2 D10 U3 I4 I11");
    await replayIsEqual();
  }
});

test("insert on conflict and merge", async (context) => {
  const { db, operations, replayIsEqual } = await captured();
  await operations("insert into t values (1, 'a', 1), (2, 'b', 2)");
  const upsert = `insert into t values (3, 'new', 3), (1, 'x', 9)
    on conflict (id) do update set v = excluded.v, u = excluded.u`;
  equal(await operations(upsert), "U1 I3");
  equal(await operations("insert into t values (1, 'y') on conflict do nothing"), "");
  if (db.serverVersion < 150000) context.diagnostic("merge left out: needs PostgreSQL 15");
  else {
    const merge = `merge into t using (values (1), (2), (4)) s(id) on s.id = t.id
      when matched and t.id = 1 then delete when matched then update set v = 'm'
      when not matched then insert values (s.id, 'n', 1)`;
    await operations(merge);
  }
  await replayIsEqual();
});

test("data-modifying CTEs free a key before it is taken, whichever part is complete first", async () => {
  const { operations, replayIsEqual } = await captured();
  const fill = "truncate t; insert into t values (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)";
  const statements = [
    "with d as (delete from t where id = 1 returning *) insert into t select id, v || '!', u from d",
    "with d as (delete from t returning *) insert into t select id, v || '!', u from d limit 1",
    `with d as (delete from t returning *), i as (insert into t select id, v || '!', u from d limit 1 returning *)
     select * from i`,
    `with d as (delete from t where id = 1 returning *), u as (update t set id = 1 from d where t.id = 2 returning 1)
     select count(*) from u`,
    `with d as (delete from t where id < 3 returning *), u as (update t set id = 1 from d where t.id = 3 returning 1)
     select 1 from u limit 1`,
    `with d as (delete from t where id = 1 returning *),
          u as (update t set u = 1 from d where t.id = 2 returning t.*)
     insert into t select 1, u.v, 2 from u limit 1`,
    `with d as (delete from t where id <= 2 returning *)
     update t set id = 1 from (select * from d limit 1) x where t.id = 3`,
    `with d as (delete from t where id <= 2 returning *), u as (update t set u = 1 from d where t.id = 3 returning t.*)
     insert into t select 1, u.v, 3 from u limit 1`,
    `with u as (update t set id = id + 10 where id < 3 returning *) insert into t select id - 10, v, u + 10 from u limit 1`,
  ];
  for (const statement of statements) {
    await operations(fill);
    await replayIsEqual();
    await operations(statement);
    await replayIsEqual();
  }
});

test("another AFTER trigger that writes to the table: rows are logged one by one while it exists", async () => {
  const { db, operations, form, replayIsEqual } = await captured();
  await db.execute(`
    create function touch() returns trigger language plpgsql as $$ begin
      if new.v is distinct from 'touched' then update t set v = 'touched' where id = new.id; end if; return null; end $$`);
  await operations("insert into t values (1, 'a')");
  for (const kind of [
    "after insert or update on t for each row",
    "after insert or update on t for each row when (new.id > 0)",
  ]) {
    await db.execute(`create trigger zz ${kind} execute function touch()`);
    equal(await form(), "row");
    equal(await operations("insert into t values (2, 'b'), (3, 'c')"), "I2 U2 I3 U3");
    await db.execute("drop trigger zz on t; delete from t where id > 1");
    equal(await form(), "set");
    await operations("select 1");
  }
  await db.execute(`create function touch_all() returns trigger language plpgsql as $$ begin
      update t set v = 'all' where v is distinct from 'all'; return null; end $$;
    create trigger aa after insert on t for each statement execute function touch_all()`);
  equal(await form(), "row");
  equal(await operations("insert into t values (4, 'd'), (5, 'e')"), "I4 I5 U1 U4 U5");
  await db.execute(`drop trigger aa on t;
    create constraint trigger cc after insert on t deferrable initially deferred for each row execute function touch()`);
  equal(await form(), "row");
  await db.execute("alter table t disable trigger cc");
  equal(await form(), "set");
  await replayIsEqual();
});

test("a trigger that appears between two statements of a transaction counts", async () => {
  const { operations, replayIsEqual } = await captured();
  equal(
    await operations(`
    create function bump() returns trigger language plpgsql as $$ begin
      update t set v = 'bumped' where id = new.id; return null; end $$;
    begin;
    insert into t values (1, 'a');
    create trigger zz after insert on t for each row execute function bump();
    insert into t values (2, 'b');
    drop trigger zz on t;
    insert into t values (3, 'c'), (4, 'd');
    commit`),
    "I1 I2 U2 I3 I4",
  );
  await replayIsEqual();
});

test("BEFORE triggers, other captures and the generic triggers leave the set form in force", async () => {
  const { db, operations, form } = await captured();
  await db.execute(`select pgq.create_queue('other');
    create function upper_v() returns trigger language plpgsql as $$ begin new.v := upper(new.v); return new; end $$;
    create trigger b before insert on t for each row execute function upper_v();
    create trigger g after insert or update or delete on t for each row execute function pgq.logutriga('other');
    select pgq.create_capture('t', 'second', 'other', 'urlenc')`);
  equal(await form(), "set");
  equal(await operations("insert into t values (1, 'a')"), "I1");
  deepEqual(await new EventLog(db, "other").brief(""), ["I:id / id=1&v=A&u", "I:id / id=1&v=A&u"]);
});

test("a foreign key to itself that cascades", async () => {
  const definition = "(id int primary key, v text, u int references t on update cascade on delete cascade)";
  const { operations, form, replayIsEqual } = await captured(definition);
  equal(await form(), "row");
  await operations("insert into t values (1, 'a', null), (2, 'b', 1), (3, 'c', 2)");
  await operations("update t set v = 'x'");
  await operations("delete from t where id = 3");
  await replayIsEqual();
  const plain = await captured("(id int primary key, v text, u int references t)");
  equal(await plain.form(), "set");
});

test("inheritance: the parent's statements do not log the child's rows, a child's are logged whoever writes them", async () => {
  const { db, operations, form } = await captured();
  await db.execute("create table child () inherits (t)");
  equal(await form(), "row");
  await operations("insert into t values (1, 'a')");
  await db.execute("insert into child values (2, 'b')");
  equal(await operations("update t set v = 'c'"), "U1");
  await db.execute("drop table child");
  equal(await form(), "set");
  await db.execute("create table parent (id int, v text, u int); alter table t inherit parent");
  equal(await form(), "row");
  equal(await operations("update parent set v = 'd'"), "U1");
});

test("a child that appears or goes while a statement runs changes nothing for that statement", async () => {
  for (const [before, meanwhile] of [
    ["select 1", "create table child () inherits (t)"],
    ["create table child () inherits (t)", "alter table child no inherit t"],
  ]) {
    const { db, another } = await fixture.database();
    await db.execute(`select pgq.create_queue('q'); create table t ${table}; select pgq.create_capture('t', 'cap', 'q');
      create function wait(i int) returns text language plpgsql as $$ begin
        if i = 2 then perform pg_advisory_xact_lock(1); end if; return 'done'; end $$;
      insert into t values (1), (2), (3); ${before}`);
    const log = new EventLog(db);
    await log.added();
    const other = await another();
    await other.execute("begin; select pg_advisory_xact_lock(1)");
    const update = db.execute("update only t set v = wait(id)");
    await waitFor("the update to wait in its second row", () =>
      other.queryValue("select count(*) > 0 from pg_locks where locktype = 'advisory' and not granted"),
    );
    await other.execute(`${meanwhile}; commit`);
    await update;
    equal((await log.added()).length, 3, meanwhile);
  }
});

test("a table that becomes a partition is logged by row, also through its root", async () => {
  const { db, operations, form } = await captured();
  await operations("insert into t values (1, 'a')");
  await db.execute("create table root (id int, v text, u int) partition by range (id)");
  await db.execute("alter table root attach partition t for values from (0) to (100)");
  equal(await form(), "row");
  equal(await operations("insert into root values (2, 'b'), (3, 'c')"), "I2 I3");
  equal(await operations("insert into t values (4, 'd')"), "I4");
  equal(await operations("update root set v = 'e' where id > 2"), "U3 U4");
});

test("a partitioned table logs rows under its own name, whichever partition they are in", async () => {
  const { db } = await fixture.database();
  await db.execute(`select pgq.create_queue('q');
    create table p (id int primary key, v text) partition by range (id);
    create table p1 partition of p for values from (0) to (10);
    create table p2 (v text, gone int, id int not null); alter table p2 drop column gone;
    alter table p attach partition p2 for values from (10) to (20)`);
  equal(await db.queryValue("select pgq.create_capture('p', 'cap', 'q')"), "row");
  const log = new EventLog(db);
  const type = (op: string): string => `{"op":"${op}","table":["public","p"],"pkey":["id"]}`;
  deepEqual(await log.of("insert into p values (1, 'a'), (11, 'b')"), [
    { type: type("INSERT"), data: '{"id":1,"v":"a"}', extra: ["public.p", null, null, null] },
    { type: type("INSERT"), data: '{"id":11,"v":"b"}', extra: ["public.p", null, null, null] },
  ]);
  deepEqual(await log.brief("insert into p2 values ('c', 12); update p set id = 2 where id = 12"), [
    `${type("INSERT")} / {"id":12,"v":"c"}`,
    `${type("DELETE")} / {"id":12,"v":"c"}`,
    `${type("INSERT")} / {"id":2,"v":"c"}`,
  ]);
  await db.execute("alter table p add column more int default 5");
  deepEqual(await log.of("insert into p2 values ('d', 13)"), [
    { type: type("INSERT"), data: '{"id":13,"v":"d","more":5}', extra: ["public.p", null, null, null] },
  ]);
});

test("above read committed rows are logged one by one", async () => {
  const { operations, replayIsEqual } = await captured();
  equal(
    await operations(
      "begin isolation level serializable; insert into t values (1, 'a'), (2, 'b'); update t set v = 'x'; commit",
    ),
    "I1 I2 U1 U2",
  );
  await replayIsEqual();
});

test("triggers of the capture that are enabled differently from each other leave it to the row trigger", async () => {
  const { db, operations } = await captured();
  await db.execute("alter table t enable always trigger cap");
  equal(
    await operations(
      "set session_replication_role = replica; insert into t values (1); reset session_replication_role",
    ),
    "I1",
  );
  equal(await operations("insert into t values (2)"), "I2");
  await db.execute("alter table t disable trigger cap");
  equal(await operations("insert into t values (3)"), "");
});

test("captures that are enabled always log by row: logical replication writes rows without statements", async () => {
  const { db, operations } = await captured();
  await db.execute(`do $$ declare r record; begin
    for r in select tgname from pg_trigger where tgrelid = 't'::regclass loop
      execute format('alter table t enable always trigger %I', r.tgname);
    end loop; end $$`);
  equal(
    await operations(
      "set session_replication_role = replica; insert into t values (1); reset session_replication_role",
    ),
    "I1",
  );
  equal((await db.query<{ form: string }>("select form from pgq.get_capture_info('t')"))[0]?.form, "row");
});

test("an error between statement and trigger leaves nothing open", async () => {
  const { db, operations, replayIsEqual } = await captured();
  await operations("insert into t values (1, 'a', 1), (2, 'b', 2)");
  await operations(`begin;
    savepoint s; do $$ begin update t set u = 1; exception when unique_violation then null; end $$;
    with d as (delete from t where id = 1 returning *) insert into t select 1, 'again', 5 from d;
    commit`);
  await replayIsEqual();
  equal(
    await db.queryValue("select coalesce(current_setting('pgq.open_' || 't'::regclass::oid, true), '')"),
    "",
  );
});

test("a function that writes to the table from inside a statement on it", async () => {
  const { db, operations, replayIsEqual } = await captured();
  await db.execute(`create function add_row(i int) returns int language plpgsql as $$ begin
    insert into t values (i, 'added'); update t set v = 'changed' where id = i; return i; end $$`);
  await operations("insert into t values (1, 'a'), (2, 'b')");
  await operations("update t set u = add_row(id + 10) where id < 3");
  await replayIsEqual();
  await operations("delete from t where id < 3 and add_row(id + 100) > 0");
  await replayIsEqual();
});

test("copy", async () => {
  const { db, operations, replayIsEqual } = await captured();
  const copy = db.copyIn("copy t from stdin");
  copy.end("1\ta\\\\\\tb\t1\n2\t\\N\t2\n");
  await copy.done;
  equal(await operations("select 1"), "I1 I2");
  await replayIsEqual();
});
