import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { SkytoolsError } from "@skytools/skytools";
import { copiedAlready } from "#src/replay/copy-snapshot.js";
import { ApplyBench, jsonEvent, silentLog, type TestEvent } from "../fixture/apply-bench.js";

let bench: ApplyBench;

before(async () => {
  bench = await ApplyBench.start();
});

after(async () => {
  await bench[Symbol.asyncDispose]();
});

/** Creates the tables anew and applies. */
async function applied(
  setup: string,
  events: readonly TestEvent[],
  tables: Readonly<Record<string, string>> = { "public.t": "public.t" },
) {
  await bench.source.execute(`drop table if exists t, t2, audit cascade; ${setup}`);
  silentLog.lines.length = 0;
  return bench.apply(events, tables);
}

function inserts(count: number, row: (id: number) => Record<string, unknown>): TestEvent[] {
  return Array.from({ length: count }, (_, nr) =>
    jsonEvent("INSERT", "public.t", ["id"], { id: nr + 1, ...row(nr + 1) }),
  );
}

test("many events go as a set, few as statements; both are counted", async () => {
  const setup = "create table t (id int primary key, v text)";
  const few = await applied(
    setup,
    inserts(5, () => ({ v: "x" })),
  );
  assert.deepEqual([few.eventCount, few.rowByRowEvents], [5, 5]);
  const many = await applied(
    setup,
    inserts(100, () => ({ v: "x" })),
  );
  assert.deepEqual([many.eventCount, many.rowByRowEvents], [100, 0]);
  assert.equal((await bench.rows("select from t")).length, 100);
});

test("a value too long for its column is not cut, and the error names event, table, key, batch and SQLSTATE", async () => {
  const events = inserts(100, (id) => ({ v: id === 77 ? "too long" : "ok" }));
  const failure = await applied("create table t (id int primary key, v varchar(5))", events).catch(
    (error: unknown) => error,
  );
  assert.ok(failure instanceof SkytoolsError);
  assert.match(
    failure.message,
    /^\[ev_id=\d+,ev_txid=1\] value too long for type character varying\(5\).*\(insert on table "public\.t", key id=77, batch 7, tick 8, SQLSTATE 22001\)$/,
  );
  assert.deepEqual(await bench.rows("select from t"), []);
});

test("a value too long for a domain is not cut, nor one that replaces a row or is looked at by a filter", async (t) => {
  t.after(() => {
    bench.handlers = new Map();
  });
  await bench.source.execute(`drop table if exists t; drop domain if exists short; create domain short as varchar(5);
    drop domain if exists shorter; create domain shorter as short check (value <> 'no')`);
  const row = (id: number) => ({ v: id === 77 || id === 2 ? "too long" : "ok" });
  const tooLong = /value too long for type character varying\(5\).*key id=(?:77|2),.*SQLSTATE 22001/;
  for (const type of ["short", "shorter", "varchar(5)"]) {
    const setup = `create table t (id int primary key, v ${type});
      create table t2 (id int primary key references t)`;
    for (const count of [100, 5]) await assert.rejects(applied(setup, inserts(count, row)), tooLong);
    const treatments = [{ replaces: "updates and inserts" as const }, { condition: "v <> 'x'" }];
    for (const rows of treatments) {
      bench.handlers = new Map([["public.t", { rows }]]);
      for (const count of [100, 5]) await assert.rejects(applied(setup, inserts(count, row)), tooLong);
      bench.handlers = new Map();
    }
    const update = (id: number) => jsonEvent("UPDATE", "public.t", ["id"], { id, v: "too long" });
    const many = Array.from({ length: 100 }, (_, nr) => update(nr + 1));
    const filled = `${setup}; insert into t select g, 'ok' from generate_series(1, 100) g`;
    for (const events of [many, many.slice(76, 77)]) await assert.rejects(applied(filled, events), /22001/);
  }
});

test("a failing event among few is named too", async () => {
  const events = inserts(5, (id) => ({ v: id === 3 ? null : "x" }));
  await assert.rejects(
    applied("create table t (id int primary key, v text not null)", events),
    /null value in column "v".*\(insert on table "public\.t", key id=3, batch 7, tick 8, SQLSTATE 23502\)/,
  );
});

test("unique values that change places are applied in order, in the same transaction", async () => {
  const rows = Array.from({ length: 50 }, (_, nr) => nr + 1);
  const update = (id: number, u: number | null) => jsonEvent("UPDATE", "public.t", ["id"], { id, u });
  const events = rows.flatMap((id) =>
    id % 2 === 0 ? [update(id, null), update(id - 1, id), update(id, id - 1)] : [],
  );
  const result = await applied(
    "create table t (id int primary key, u int unique); insert into t select g, g from generate_series(1, 50) g",
    events,
  );
  assert.equal(result.rowByRowEvents, events.length);
  assert.ok(
    silentLog.lines.some((line) => /public\.t: applying 75 events row by row: duplicate key/.test(line)),
    silentLog.lines.join(),
  );
  const moved = await bench.rows("select from t where u = case when id % 2 = 0 then id - 1 else id + 1 end");
  assert.equal(moved.length, 50);
});

test("a unique value that moves from a deleted row to a new one goes as a set", async () => {
  const events = Array.from({ length: 40 }, (_, nr) => [
    jsonEvent("DELETE", "public.t", ["id"], { id: nr, u: nr }),
    jsonEvent("INSERT", "public.t", ["id"], { id: nr + 100, u: nr }),
  ]).flat();
  const result = await applied(
    "create table t (id int primary key, u int unique); insert into t select g, g from generate_series(0, 39) g",
    events,
  );
  assert.equal(result.rowByRowEvents, 0);
  assert.equal((await bench.rows("select from t where id = u + 100")).length, 40);
});

test("partial SQL, urlencoded and JSON events of one table are applied in order", async () => {
  const events: TestEvent[] = [
    { type: "I", data: "(id,v) values ('1','a''b')", table: "public.t" },
    { type: "U:id", data: "id=1&v=c+d%25", table: "public.t" },
    jsonEvent("INSERT", "public.t", ["id"], { id: 2, v: null }),
    { type: "U", data: "v='c d%x' where id='1'", table: "public.t" },
    { type: "D", data: "id='2'", table: "public.t" },
  ];
  await applied("create table t (id int primary key, v text)", events);
  assert.deepEqual(await bench.rows("select * from t"), [{ id: 1, v: "c d%x" }]);
});

test("partial SQL of always-identity columns: inserts keep their values, an update that changes nothing does nothing", async () => {
  const events: TestEvent[] = [
    { type: "I", data: "(id,v) values ('7','a')", table: "public.t" },
    { type: "U", data: "id='7' where id='7'", table: "public.t" },
    { type: "U", data: "id='7',v='b' where id='7'", table: "public.t" },
  ];
  await applied("create table t (id int generated always as identity primary key, v text)", events);
  assert.deepEqual(await bench.rows("select * from t"), [{ id: 7, v: "b" }]);
});

test("columns may come and go within a batch; a column that is not here is an error that says what to do", async () => {
  const setup = "create table t (id int primary key, v text, w text default 'default')";
  const events = [
    ...inserts(40, () => ({ v: "old" })),
    ...Array.from({ length: 40 }, (_, nr) =>
      jsonEvent("INSERT", "public.t", ["id"], { id: 100 + nr, v: "new", w: null }),
    ),
    jsonEvent("UPDATE", "public.t", ["id"], { id: 1, v: "updated" }),
  ];
  await applied(setup, events);
  const counted = await bench.rows("select v, w, count(*)::int4 as n from t group by 1, 2 order by 1");
  assert.deepEqual(counted, [
    { v: "new", w: null, n: 40 },
    { v: "old", w: "default", n: 39 },
    { v: "updated", w: "default", n: 1 },
  ]);
  await assert.rejects(
    applied(
      "create table t (id int primary key)",
      inserts(40, () => ({ v: "x" })),
    ),
    /column "v" does not exist on this node: add it here first/,
  );
});

test("the key may change within a batch", async () => {
  const events = [
    ...Array.from({ length: 40 }, (_, id) =>
      jsonEvent("UPDATE", "public.t", ["id"], { id, code: `c${id}`, v: "by id" }),
    ),
    ...Array.from({ length: 40 }, (_, id) =>
      jsonEvent("UPDATE", "public.t", ["code"], { id, code: `c${id}`, v: "by code" }),
    ),
  ];
  await applied(
    "create table t (id int primary key, code text, v text); insert into t select g, '' from generate_series(0, 39) g",
    events,
  );
  assert.equal((await bench.rows("select from t where v = 'by code' and code = 'c' || id")).length, 40);
});

test("generated columns are computed here, identity columns keep their values", async () => {
  const setup = `create table t (id int generated always as identity primary key, n int, twice int generated always as (n * 2) stored,
    nr int generated by default as identity)`;
  const row = (id: number) => ({ id, n: id, twice: -1, nr: 1000 + id });
  const events = [
    ...Array.from({ length: 50 }, (_, nr) => jsonEvent("INSERT", "public.t", ["id"], row(nr + 1))),
    ...Array.from({ length: 50 }, (_, nr) =>
      jsonEvent("UPDATE", "public.t", ["id"], { ...row(nr + 1), n: 7 }),
    ),
  ];
  const result = await applied(setup, events);
  assert.equal(result.rowByRowEvents, 0);
  assert.equal((await bench.rows("select from t where n = 7 and twice = 14 and nr = 1000 + id")).length, 50);
});

test("rows are found by a key that the server computes", async () => {
  const setup =
    "create table t (id int, k int generated always as (id + 1000) stored, v text, primary key (k))";
  const event = (type: "INSERT" | "UPDATE" | "DELETE", id: number, v: string) =>
    jsonEvent(type, "public.t", ["k"], { id, k: id + 1000, v });
  for (const count of [5, 100]) {
    const ids = Array.from({ length: count }, (_, nr) => nr + 1);
    await applied(setup, [
      ...ids.map((id) => event("INSERT", id, "new")),
      ...ids.map((id) => event("UPDATE", id, "changed")),
      ...ids.slice(1).map((id) => event("DELETE", id, "changed")),
    ]);
    assert.deepEqual(await bench.rows("select * from t"), [{ id: 1, k: 1001, v: "changed" }]);
  }
});

test("a trigger of one partition fires for each event, as one of the table would", async () => {
  const setup = `create table t (id int primary key, v text) partition by range (id);
    create table t_low partition of t for values from (0) to (50);
    create table t_high partition of t for values from (50) to (500);
    create table audit (id int, v text);
    create or replace function note() returns trigger language plpgsql as $$
      begin insert into audit values (new.id, new.v); return new; end $$;
    create trigger note after insert or update on t_high for each row execute function note();
    alter table t_high enable always trigger note`;
  const ids = Array.from({ length: 100 }, (_, nr) => nr + 1);
  await applied(`drop table if exists t_low, t_high; ${setup}`, [
    ...ids.map((id) => jsonEvent("INSERT", "public.t", ["id"], { id, v: "new" })),
    ...ids.map((id) => jsonEvent("UPDATE", "public.t", ["id"], { id, v: "changed" })),
  ]);
  assert.deepEqual(await bench.rows("select v, count(*)::int4 as n from audit group by v order by v"), [
    { v: "changed", n: 51 },
    { v: "new", n: 51 },
  ]);
});

test("an update of a table that is all key does nothing, alone and among many", async () => {
  const update = (a: number) => jsonEvent("UPDATE", "public.t", ["a", "b"], { a, b: "x" });
  const setup = "create table t (a int, b text, primary key (a, b)); insert into t values (1, 'x')";
  for (const count of [1, 60]) {
    await applied(
      setup,
      Array.from({ length: count }, () => update(1)),
    );
    assert.deepEqual(await bench.rows("select * from t"), [{ a: 1, b: "x" }]);
  }
});

test("json columns get the document, not a string with it", async () => {
  const events = inserts(50, (id) => ({ j: `{"a": "x\\"${id}"}`, jb: id === 1 ? '"text"' : "null" }));
  await applied("create table t (id int primary key, j json, jb jsonb)", events);
  assert.deepEqual(
    await bench.rows("select j->>'a' as a, jsonb_typeof(jb) as kind from t where id <= 2 order by id"),
    [
      { a: 'x"1', kind: "string" },
      { a: 'x"2', kind: "null" },
    ],
  );
});

test("where triggers act, all tables go event by event in one order", async () => {
  const setup = `create table t (id int primary key, v text); create table t2 (id int primary key, v text);
    create table audit (nr serial, what text);
    create or replace function note() returns trigger language plpgsql as $$ begin insert into audit (what) values (tg_table_name || new.id); return null; end $$;
    create trigger note after insert on t for each row execute function note();
    create trigger note after insert on t2 for each row execute function note();
    alter table t enable always trigger note; alter table t2 enable replica trigger note`;
  const events = Array.from({ length: 60 }, (_, nr) =>
    jsonEvent("INSERT", nr % 2 === 0 ? "public.t" : "public.t2", ["id"], { id: nr, v: "" }),
  );
  const result = await applied(setup, events, { "public.t": "public.t", "public.t2": "public.t2" });
  assert.equal(result.rowByRowEvents, 60);
  const order = (await bench.rows("select what from audit order by nr")).map(
    (row) => (row as { what: string }).what,
  );
  assert.deepEqual(
    order,
    events.map((_, nr) => `${nr % 2 === 0 ? "t" : "t2"}${nr}`),
  );
});

test("a large batch that turns out to need its order is read again within the provider's transaction", async () => {
  await bench.source.execute(`drop table if exists t, t2, audit cascade;
    create table t (id int primary key, v text); create table audit (v text);
    create or replace function audit_row() returns trigger language plpgsql as
      'begin insert into audit values (new.v); return null; end';
    create trigger audit_row after insert on t for each row execute function audit_row();
    alter table t enable always trigger audit_row`);
  const events = inserts(12_000, (id) => ({ v: String(id).padStart(500, "x") }));
  const result = await bench.apply(events, { "public.t": "public.t" }, true);
  assert.deepEqual([result.eventCount, result.rowByRowEvents], [12_000, 12_000]);
  assert.deepEqual(await bench.rows("select count(*)::int4 as n, count(distinct v)::int4 as d from audit"), [
    { n: 12_000, d: 12_000 },
  ]);
});

test("a table goes into another one here; events of tables that are not wanted are counted and ignored", async () => {
  const events = [
    ...inserts(3, () => ({ v: "x" })),
    jsonEvent("INSERT", "public.unknown", ["id"], { id: 1 }),
    { type: "R", data: "", table: "public.unknown" },
  ];
  const result = await applied("create table t2 (id int primary key, v text)", events, {
    "public.t": "public.t2",
  });
  assert.deepEqual([result.eventCount, result.ignoredEvents], [5, 2]);
  assert.equal((await bench.rows("select from t2")).length, 3);
});

test("updates and deletes that find no row are counted", async () => {
  const events = Array.from({ length: 100 }, (_, id) =>
    jsonEvent(id % 2 === 0 ? "UPDATE" : "DELETE", "public.t", ["id"], { id, v: "x" }),
  );
  const result = await applied(
    "create table t (id int primary key, v text); insert into t select g from generate_series(0, 89) g",
    events,
  );
  assert.equal(result.missingRows, 10);
});

test("control events are handed over in order, those that change the list of tables between the rows around them", async () => {
  const seen: string[] = [];
  const events: TestEvent[] = [
    { type: "pgq.location-info", data: "a", table: "q" },
    ...inserts(2, () => ({ v: "x" })),
    { type: "londiste.remove-table", data: "public.t2", table: "" },
    { type: "londiste.update-seq", data: "1", table: "public.s" },
    { type: "pgq.global-watermark", data: "5", table: "q" },
    { type: "londiste.remove-seq", data: "public.s", table: "" },
  ];
  await bench.source.execute("drop table if exists t cascade; create table t (id int primary key, v text)");
  await bench.apply(events, { "public.t": "public.t" }, false, (type) => seen.push(type));
  assert.deepEqual(seen, [
    "londiste.remove-table",
    "pgq.location-info",
    "londiste.update-seq",
    "pgq.global-watermark",
    "londiste.remove-seq",
  ]);
});

test("events that are of no table are read, whatever snapshot of a copy there is", async () => {
  const events =
    "(values ('public.t', 5), ('public.t', 20), ('public.u', 5), (null, 5)) e (ev_extra1, ev_txid)";
  assert.deepEqual(
    await bench.rows(
      `select ev_extra1 as name from ${events} where not (${copiedAlready("public.t", "10:10:")})`,
    ),
    [{ name: "public.t" }, { name: "public.u" }, { name: null }],
  );
});

test("an event that nobody understands stops the batch", async () => {
  await assert.rejects(
    applied("create table t (id int primary key)", [{ type: "mystery", data: "", table: "public.t" }]),
    /Unhandled event type in queue: mystery/,
  );
});
