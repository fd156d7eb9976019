import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { PgqEvent } from "@skytools/pgq";
import { SkytoolsError } from "@skytools/skytools";
import fc from "fast-check";
import { applyLondisteEvent } from "#src/replay/control-event.js";
import { ApplyBench, silentLog, type TestEvent } from "../fixture/apply-bench.js";

/* What somebody who may insert into a queue, and no more, can do to a subscriber by events that no trigger would write. */

let bench: ApplyBench;

before(async () => {
  bench = await ApplyBench.start(["pgq", "pgq_node", "londiste"]);
  await bench.source.execute(
    "create table t (id int primary key, v text); create table canary (id int primary key); insert into canary values (1)",
  );
  await bench.source.execute(`select pgq_node.register_location('q', 'root', 'dbname=root', false);
    select pgq_node.register_location('q', 'leaf', 'dbname=leaf', false);
    select pgq_node.create_node('q', 'leaf', 'leaf', 'leaf_worker', 'root', 1, null)`);
});

after(() => bench[Symbol.asyncDispose]());

/** All that is in the database but the rows of `t`. */
async function surroundings(): Promise<unknown> {
  const [row] = await bench.rows(`
    select (select string_agg(id::text, ',') from canary) as canary,
           (select count(*) from pg_class where relnamespace = 'public'::regnamespace) as relations,
           (select count(*) from pg_proc) as functions, (select count(*) from pg_roles) as roles,
           (select string_agg(attname, ',') from pg_attribute where attrelid = 't'::regclass and attnum > 0) as columns`);
  return row;
}

const url = (data: string, type = "I:id"): TestEvent => ({ type, data, table: "public.t" });
const sql = (type: string, data: string): TestEvent => ({ type, data, table: "public.t" });
const json = (data: string, pkey: unknown = ["id"]): TestEvent => ({
  type: JSON.stringify({ op: "INSERT", table: ["public", "t"], pkey }),
  data,
  table: "public.t",
});

async function outcome(events: readonly TestEvent[]): Promise<string | unknown[]> {
  await bench.source.execute("truncate t; insert into t values (1, 'one'), (2, 'two')");
  try {
    await bench.apply(events, { "public.t": "public.t" });
  } catch (error) {
    assert.ok(error instanceof SkytoolsError, String(error));
    return error.message;
  }
  return bench.rows("select id, v from t order by id");
}

const kept = [
  { id: 1, v: "one" },
  { id: 2, v: "two" },
];

for (const [event, refusal] of [
  [url("id=3&v=%ff"), /ev_id=\d+.*text that is not valid UTF-8/],
  [url(`id=3&v"; drop table canary; --=x`), /ev_id=\d+.*v"; drop table canary/],
  [url("id=3", `U:id" = id; drop table canary; --`), /ev_id=\d+/],
  [url("v=x", "D:id"), /ev_id=\d+/],
  [url("id=3'; drop table canary; --"), /ev_id=\d+.*invalid input syntax for type integer/],
  [sql("I", "(id, v) values ('3', (select 'x'))"), /ev_id=\d+.*partial SQL/],
  [sql("I", "(id) values ('3'); drop table canary"), /ev_id=\d+.*partial SQL/],
  [sql("I", "(id) values ('3') returning pg_sleep(1)"), /ev_id=\d+.*partial SQL/],
  [sql("U", "v = version() where id = '1'"), /ev_id=\d+.*partial SQL/],
  [sql("D", "id = '1' or '1' = '1'"), /ev_id=\d+.*partial SQL/],
  [sql("D", "id = '1'; drop table canary"), /ev_id=\d+.*partial SQL/],
  [json('{"id": 3, "v"'), /ev_id=\d+/],
  [json("[3]"), /ev_id=\d+/],
  [json('{"id": {"id": 3}}'), /ev_id=\d+/],
  [json('{"id": 3, "w\\"; drop table canary; --": 1}'), /ev_id=\d+.*w/],
  [json('{"id": 3, "v": "\\u0000"}'), /ev_id=\d+/],
  [
    sql("X; drop table canary", "x"),
    /Unhandled event type in queue: X; drop table canary \(queue "q", event \d+\)/,
  ],
  [sql("", "x"), /Unhandled event type in queue/],
] as const) {
  test(`refused, with its name: ${event.type} ${event.data}`, async () => {
    const before = await surroundings();
    const result = await outcome([event]);
    assert.match(String(result), refusal);
    assert.deepEqual(await bench.rows("select id, v from t order by id"), kept);
    assert.deepEqual(await surroundings(), before);
  });
}

test("events of tables that are not registered do nothing, whatever their name", async () => {
  for (const table of ["public.canary", 'public."t"; drop table canary; --', "pg_catalog.pg_authid", ""]) {
    assert.deepEqual(await outcome([{ type: "I:id", data: "id=9", table }]), kept, table);
    assert.deepEqual(await outcome([{ type: "R", data: "", table }]), kept, table);
  }
});

test("values are only values", async () => {
  const value = `x'); drop table canary; -- $1 %s $$ \\ "`;
  const row = { id: 3, v: value };
  assert.deepEqual(await outcome([json(JSON.stringify(row))]), [...kept, row]);
  assert.deepEqual(await outcome([url(`id=3&v=${encodeURIComponent(value)}`)]), [...kept, row]);
  const literal = `E'${value.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
  assert.deepEqual(await outcome([sql("I", `(id, v) values ('3', ${literal})`)]), [...kept, row]);
});

test("whatever an event is put together from, it is applied to its table, or refused by one error", async () => {
  const piece = fc.constantFrom(
    ..."id v = & ' '' \" % %27 %00 ; -- ( ) , : $1 $$ \\ \\' null 1 3 or values where I U D R { } [ ] é".split(
      " ",
    ),
    " ",
    "\n",
    "\t",
    '"id"',
    "drop table canary",
    "(id, v) values (",
    '{"id": 3',
  );
  const text = fc.array(piece, { maxLength: 7 }).map((pieces) => pieces.join(""));
  const type = fc.oneof(
    fc.constantFrom(
      "I",
      "U",
      "D",
      "I:id",
      "U:id",
      "D:id",
      '{"op":"INSERT","pkey":["id"]}',
      '{"op":"DELETE","pkey":["v"]}',
    ),
    text,
  );
  const before = await surroundings();
  await fc.assert(
    fc.asyncProperty(type, text, async (each, data) => {
      await outcome([{ type: each, data, table: "public.t" }]);
      assert.deepEqual(await surroundings(), before);
    }),
    { numRuns: Number(process.env.SKYTOOLS_FUZZ_RUNS ?? 100), seed: 1 },
  );
});

test("forged events of londiste itself name things, and run nothing", async () => {
  const apply = async (type: string, data: string | null, extra1: string | null = null): Promise<void> => {
    const event = { id: 5n, type, data, extra1, extra2: null, extra3: null, extra4: null, retry: null };
    try {
      await applyLondisteEvent(bench.target, silentLog, "q", event as unknown as PgqEvent);
    } finally {
      await bench.target.rollback();
    }
  };
  const before = await surroundings();
  for (const [type, data, extra1] of [
    ["londiste.add-table", null, null],
    ["londiste.remove-table", "", null],
    ["londiste.update-seq", "x'); drop table canary; --", "public.s"],
    ["londiste.update-seq", "9223372036854775808", "public.s"],
    ["londiste.update-seq", "1", null],
    ["londiste.drop-database", "x", null],
  ] as const) {
    await assert.rejects(apply(type, data, extra1), { code: "LONDISTE_EVENT", message: /event.*5/ }, type);
  }
  await apply("londiste.remove-table", "public.t'; drop table canary; --");
  assert.deepEqual(await surroundings(), before);
});
