import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { waitFor } from "@skytools/testbed";
import { databaseFixture } from "../fixture.ts";
import { EventLog } from "../trigger/event-log.ts";
import { capturing, table } from "./captured.ts";

// What parents, children and partitions log of each other's rows.

const fixture = databaseFixture(["pgq"]);
const captured = capturing(fixture);

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
