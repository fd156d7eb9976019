import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApplyBench, jsonEvent, silentLog, type TestEvent } from "../fixture/apply-bench.js";

let bench: ApplyBench;

before(async () => {
  bench = await ApplyBench.start();
});

after(async () => {
  await bench[Symbol.asyncDispose]();
});

async function reset(sql: string): Promise<void> {
  silentLog.lines.length = 0;
  await bench.source.execute(
    `set client_min_messages = warning; drop schema if exists data cascade; create schema data; set search_path = data; ${sql}; reset search_path`,
  );
}

const truncated = (name: string): TestEvent => ({ type: "R", data: "", table: `data.${name}` });
const inserted = (name: string, row: Readonly<Record<string, unknown>>) =>
  jsonEvent("INSERT", `data.${name}`, ["id"], row);
const tables = (...names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [`data.${name}`, `data.${name}`]));

async function counts(...names: readonly string[]): Promise<Record<string, number>> {
  const rows = await bench.rows(
    names
      .map((name) => `select '${name}' as name, count(*)::int4 as n from only data.${name}`)
      .join(" union all "),
  );
  return Object.fromEntries((rows as { name: string; n: number }[]).map(({ name, n }) => [name, n]));
}

const family = `create table parent (id int primary key); create table child (id int primary key, up int references parent);
  create table mine (id int primary key, parent int references parent on delete cascade);
  insert into parent values (1), (2); insert into child values (1, 1); insert into mine values (1, 1)`;

test("tables that were truncated together are truncated together, rows before and after keep their place", async () => {
  await reset(`${family}; drop table mine`);
  const relation = "select pg_relation_filenode('data.parent') as file";
  const before = await bench.rows(relation);
  await bench.apply(
    [inserted("parent", { id: 3 }), truncated("parent"), truncated("child"), inserted("parent", { id: 4 })],
    tables("parent", "child"),
  );
  assert.deepEqual(await counts("parent", "child"), { parent: 1, child: 0 });
  assert.notDeepEqual(await bench.rows(relation), before, "it was truncated");
});

test("a table of this node that refers to a truncated one keeps its rows", async () => {
  await reset(family);
  await bench.apply([truncated("parent"), truncated("child")], tables("parent", "child"));
  assert.deepEqual(await counts("parent", "child", "mine"), { parent: 0, child: 0, mine: 1 });
  assert.match(
    silentLog.lines.join("\n"),
    /data\.parent: deleting all rows, a table that stays refers to it/,
  );
});

test("what a table refers to is deleted too when the table itself cannot be truncated", async () => {
  await reset(
    `${family}; create table note (id int primary key references child); insert into note values (1)`,
  );
  await bench.apply([truncated("child"), truncated("parent")], tables("parent", "child"));
  assert.deepEqual(await counts("parent", "child", "note"), { parent: 0, child: 0, note: 1 });
});

test("inheriting tables are emptied only by events of their own; a partitioned table is emptied with all partitions", async () => {
  await reset(
    `create table base (id int primary key); create table sub (like base) inherits (base); insert into base values (1); insert into sub values (2);
     create table parts (id int primary key) partition by range (id); create table part1 partition of parts for values from (0) to (9);
     insert into parts values (1); create table refers (id int references parts) partition by range (id);
     create table refers1 partition of refers for values from (0) to (9); insert into refers values (1)`,
  );
  await bench.apply([truncated("base")], tables("base"));
  assert.deepEqual(await counts("base", "sub"), { base: 0, sub: 1 });
  await bench.apply([truncated("parts"), truncated("refers")], tables("parts", "refers"));
  assert.deepEqual(await counts("part1", "refers1"), { part1: 0, refers1: 0 });
});
