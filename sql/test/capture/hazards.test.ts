import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { databaseFixture } from "../fixture.ts";
import { EventLog } from "../trigger/event-log.ts";
import { capturing } from "./captured.ts";

// Where the set form of a capture could log the wrong thing, or in the wrong order.

const fixture = databaseFixture(["pgq"]);
const captured = capturing(fixture);

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
