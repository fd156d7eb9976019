import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { dropOldStages, openStage } from "#src/apply/stage-table.js";
import { loadTargetTables } from "#src/apply/target-table.js";
import { ApplyBench, jsonEvent } from "../fixture/apply-bench.js";

/** how many stages a session keeps from batch to batch */
const keptStages = 100;

let bench: ApplyBench;

before(async () => {
  bench = await ApplyBench.start();
});

after(async () => {
  await bench[Symbol.asyncDispose]();
});

test("a batch of very many tables keeps all its stages to the end; the next one finds the latest", async () => {
  const { target } = bench;
  await bench.source.execute("create table t (id int primary key)");
  const table = (await loadTargetTables(target, ["public.t"])).get("public.t")!;
  const open = (nr: number) => openStage(target, { ...table, sqlName: `t${nr}` }, table.columns, "");
  const first = await open(0);
  await target.execute(`insert into ${first.name} values (1, 1, 'I', 7)`);
  for (let nr = 1; nr < keptStages + 5; nr += 1) await open(nr);
  assert.deepEqual(await target.query(`select c0 from ${first.name}`), [{ c0: 7 }]);
  await target.commit();
  await dropOldStages(target);
  const left = await target.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = pg_my_temp_schema() and relkind = 'r' order by oid",
  );
  assert.equal(left.length, keptStages);
  assert.ok(left.every(({ name }) => !first.name.endsWith(name)));
  await target.rollback();
});

test("types of users can be altered and dropped while a worker has rows of them behind it", async () => {
  await bench.source.execute(
    `drop table if exists t; create type mood as enum ('glad', 'sad'); create domain short as text check (length(value) < 9);
     create type pair as (a int, b text); create domain pairs as pair[];
     create table t (id short primary key, m mood, ms mood[], p pair, ps pairs)`,
  );
  const row = (id: number, m: string) => ({
    id: `k${id}`,
    m,
    ms: "{sad,NULL,glad}",
    p: '(1,"a ""b"", c")',
    ps: '{"(1,x)","(2,\\"y z\\")"}',
  });
  const events = Array.from({ length: 50 }, (_, id) =>
    jsonEvent("INSERT", "public.t", ["id"], row(id, "glad")),
  );
  const tables = { "public.t": "public.t" };
  assert.equal((await bench.apply(events, tables)).rowByRowEvents, 0);
  const changes = Array.from({ length: 50 }, (_, id) =>
    jsonEvent(id % 2 === 0 ? "UPDATE" : "DELETE", "public.t", ["id"], row(id, "sad")),
  );
  assert.equal((await bench.apply(changes, tables)).rowByRowEvents, 0);
  assert.deepEqual(
    await bench.rows("select count(*)::int as rows, min(m::text) as m, min(ps::text) as ps from t"),
    [{ rows: 25, m: "sad", ps: '{"(1,x)","(2,\\"y z\\")"}' }],
  );
  await bench.source.execute(
    `alter domain short add check (value <> ''); alter type pair add attribute c int cascade;
     drop table t; drop type mood, short, pairs, pair`,
  );
});
