import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { KeyReader } from "#src/apply/key-reader.js";
import { KeySet } from "#src/apply/key-set.js";
import type { TargetColumn } from "#src/apply/target-table.js";
import { ApplyBench, jsonEvent, silentLog, type TestEvent } from "../fixture/apply-bench.js";

/** Small pieces: a network packet of the provider is more than one. */
const limits = { tableBytes: 4000, totalBytes: 100_000, orderedEvents: 0, distinctRows: 50 };
const tables = { "public.t": "public.t" };

let bench: ApplyBench;

before(async () => {
  bench = await ApplyBench.start();
});

afterEach(async () => {
  await bench.renewTarget();
  bench.limits = undefined;
  bench.isScrambled = false;
  bench.handlers = new Map();
  silentLog.lines.length = 0;
});

after(async () => {
  await bench[Symbol.asyncDispose]();
});

async function applied(setup: string, events: readonly TestEvent[]) {
  await bench.source.execute(`drop table if exists t cascade; ${setup}`);
  return bench.apply(events, tables);
}

const filler = "x".repeat(80);

function change(op: "INSERT" | "UPDATE" | "DELETE", id: number | string, u: number | null = null): TestEvent {
  return jsonEvent(op, "public.t", ["id"], { id, u, v: filler });
}

function numbers(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, nr) => from + nr);
}

for (const orderedEvents of [0, 1_000_000]) {
  const order = orderedEvents === 0 ? "as the server finds them" : "in order";
  test(`rows of different keys are applied piece by piece while events are read ${order}`, async () => {
    bench.limits = { ...limits, orderedEvents };
    const events = [
      ...numbers(1, 1000).map((id) => change("INSERT", id, id)),
      ...numbers(1, 600).map((id) => change("UPDATE", id, 10_000 + id)),
      ...numbers(501, 400).map((id) => change("DELETE", id)),
      ...numbers(800, 50).map((id) => change("INSERT", id, 20_000 + id)),
    ];
    const result = await applied("create table t (id int primary key, u int unique, v text)", events);
    assert.deepEqual([result.eventCount, result.rowByRowEvents, result.missingRows], [2050, 0, 0]);
    assert.deepEqual(
      await bench.rows(`select count(*)::int4 as rows, count(*) filter (where u = 10000 + id)::int4 as updated,
         count(*) filter (where u = 20000 + id)::int4 as again from t`),
      [{ rows: 650, updated: 500, again: 50 }],
    );
  });
}

test("what is sent is what was collected, while the memory of pieces before is used again", async () => {
  bench.limits = { ...limits, tableBytes: 60_000, totalBytes: 1_000_000 };
  const [first, second] = ["x", "y"].map((letter) => letter.repeat(200));
  const inserts = numbers(1, 2000).map((id) =>
    jsonEvent("INSERT", "public.t", ["id"], { id, u: id, v: `${id}${first}` }),
  );
  const updates = numbers(1, 2000).map((id) =>
    jsonEvent("UPDATE", "public.t", ["id"], { id, u: -id, v: `${id}${second}` }),
  );
  const setup = "create table t (id int primary key, u int, v text)";
  const result = await applied(setup, [...inserts, ...updates]);
  assert.deepEqual([result.eventCount, result.rowByRowEvents], [4000, 0]);
  assert.equal((await bench.rows(`select from t where u = -id and v = id || repeat('y', 200)`)).length, 2000);
});

test("a change that is found after a later one of its key is not applied over it: the batch is read again in order", async () => {
  bench.limits = { ...limits, distinctRows: 1 };
  bench.isScrambled = true;
  const events = [1, 2, 3].flatMap((round) =>
    numbers(1, 300).map((id) => change(round === 1 ? "INSERT" : "UPDATE", id, round * 1000 + id)),
  );
  const result = await applied("create table t (id int primary key, u int unique, v text)", events);
  assert.equal(result.rowByRowEvents, 0);
  assert.equal((await bench.rows("select from t where u = 3000 + id")).length, 300);
});

test("unique values that change places between pieces go row by row, in the same transaction", async () => {
  bench.limits = { ...limits, orderedEvents: 1_000_000 };
  const events = numbers(1, 200).flatMap((pair) => {
    const [a, b] = [2 * pair, 2 * pair + 1];
    return [change("UPDATE", a, null), change("UPDATE", b, a), change("UPDATE", a, b)];
  });
  const setup =
    "create table t (id int primary key, u int unique, v text); insert into t select g, g from generate_series(2, 401) g";
  const result = await applied(setup, events);
  assert.ok(result.rowByRowEvents > 0);
  assert.equal((await bench.rows("select from t where u = id + 1 - 2 * (id % 2)")).length, 400);
});

for (const isLarge of [false, true]) {
  test(`a row that is there already is an error that names the event, ${isLarge ? "also in no order" : "in order"}`, async () => {
    bench.limits = { ...limits, orderedEvents: isLarge ? 0 : 1_000_000 };
    const events = numbers(1, 500).map((id) => change("INSERT", id));
    await assert.rejects(
      applied("create table t (id int primary key, u int, v text); insert into t values (444)", events),
      /duplicate key.*public\.t.*id.*444/s,
    );
    assert.equal((await bench.rows("select from t")).length, 1);
  });
}

test("a table without a key takes its inserts as they are, equal ones too", async () => {
  bench.limits = limits;
  const row = jsonEvent("INSERT", "public.t", [], { id: 1, v: "a\tb\\c" });
  const result = await applied(
    "create table t (id int, v text)",
    numbers(1, 400).map(() => row),
  );
  assert.equal(result.rowByRowEvents, 0);
  assert.equal((await bench.rows("select from t where v = E'a\\tb\\\\c'")).length, 400);
});

test("one value in two texts is one key: what only looks different is folded", async () => {
  const events = [
    ...numbers(1, 60).map((id) => change("INSERT", `0${id}`)),
    ...numbers(1, 60).map((id) => change("DELETE", id)),
  ];
  await applied("create table t (id int primary key, u int, v text)", events);
  assert.deepEqual(await bench.rows("select id from t"), []);
});

test("where every change gives a row, no key is looked at", async () => {
  bench.limits = limits;
  bench.isScrambled = true;
  const rows = { operations: { update: "insert", delete: "ignored" }, truncate: "ignored" } as const;
  bench.handlers = new Map([["public.t", { rows }]]);
  const events = numbers(1, 400).flatMap((id) => [
    change("INSERT", 1, id),
    change("UPDATE", 1, -id),
    change("DELETE", 1),
  ]);
  const result = await applied("create table t (id int, u int, v text)", events);
  assert.deepEqual([result.eventCount, result.rowByRowEvents], [1200, 0]);
  assert.deepEqual(await bench.rows("select count(distinct u)::int4 as u, count(*)::int4 as n from t"), [
    { u: 800, n: 800 },
  ]);
});

test("changes that find no row are told of, as the treatment wants it", async () => {
  bench.limits = limits;
  const events = numbers(1, 400).map((id) => change(id % 2 === 0 ? "UPDATE" : "DELETE", id, id));
  const setup = "create table t (id int primary key, u int, v text); insert into t values (7), (8), (10)";
  bench.handlers = new Map([["public.t", { rows: { missingRows: "warn", isAlwaysSet: true } }]]);
  assert.equal((await applied(setup, events)).missingRows, 397);
  assert.deepEqual(await bench.rows("select id, u from t order by id"), [
    { id: 8, u: 8 },
    { id: 10, u: 10 },
  ]);
  assert.ok(
    silentLog.lines.some((line) => /^public\.t: Delete mismatch: expected=\d+ deleted=\d+$/.test(line)),
  );
  bench.handlers = new Map([["public.t", { rows: { missingRows: "error" } }]]);
  await assert.rejects(applied(setup, events), { code: "MISSING_ROWS" });
});

test("an update that is found before its insert is no missing row", async () => {
  bench.limits = limits;
  bench.isScrambled = true;
  bench.handlers = new Map([["public.t", { rows: { missingRows: "error" } }]]);
  const events = [
    ...numbers(1, 400).map((id) => change("INSERT", id)),
    ...numbers(1, 400).map((id) => change("UPDATE", id, id)),
  ];
  const result = await applied("create table t (id int primary key, u int, v text)", events);
  assert.equal(result.missingRows, 0);
  assert.equal((await bench.rows("select from t where u = id")).length, 400);
});

test("a row that is found before the script that brings its column waits for it", async () => {
  bench.isScrambled = true;
  await bench.source.execute("drop table if exists t cascade; create table t (id int primary key)");
  const script: TestEvent = { type: "EXECUTE", data: "", table: "" };
  const row = (id: number) => jsonEvent("INSERT", "public.t", ["id"], { id, w: id });
  // The fourth event is found first.
  const events = [script, row(1), row(2), row(3)];
  await bench.apply(events, tables, true, () => bench.target.execute("alter table t add column w int"));
  assert.deepEqual(await bench.rows("select id, w from t order by 1"), [
    { id: 1, w: 1 },
    { id: 2, w: 2 },
    { id: 3, w: 3 },
  ]);
});

test("rows of one table that are treated in two ways are not staged together", async () => {
  bench.handlers = new Map([["public.other", { rows: { replaces: "updates and inserts" } }]]);
  const twice = (table: string, from: number) =>
    [1, 2].flatMap((round) =>
      numbers(from, 100).map((id) => jsonEvent("INSERT", table, ["id"], { id, u: round, v: filler })),
    );
  await bench.source.execute("drop table if exists t; create table t (id int primary key, u int, v text)");
  const folded = [...twice("public.other", 1), ...twice("public.other", 1)];
  const plain = numbers(201, 100).flatMap((id) => [
    jsonEvent("INSERT", "public.t", ["id"], { id, u: 1, v: filler }),
    jsonEvent("UPDATE", "public.t", ["id"], { id, u: 2, v: filler }),
  ]);
  bench.limits = { ...limits, distinctRows: 1_000_000 };
  await bench.apply([...folded, ...plain], { "public.t": "public.t", "public.other": "public.t" });
  assert.deepEqual(await bench.rows("select count(*)::int4 as n, min(u) as u from t"), [{ n: 200, u: 2 }]);
});

function column(name: string, keyForm: TargetColumn["keyForm"]): TargetColumn {
  return {
    name,
    type: "text",
    isTypeOfUser: false,
    castType: "text",
    collation: "",
    hasTwins: false,
    keyForm,
    isGenerated: false,
    isIdentityAlways: false,
  };
}

test("a key is read only where its text can be no other", () => {
  const isRead = (form: TargetColumn["keyForm"], text: string) => {
    const key = column("k", form);
    const reader = KeyReader.of([column("before", null), key, column("after", null)], [key], 0);
    return reader?.read(Buffer.from(`b\t${text}\ta\n`), 0);
  };
  for (const text of ["0", "7", "-12", "9223372036854775807"])
    assert.equal(isRead("integer", text), true, text);
  for (const text of ["", "-", "-0", "007", "+1", " 1", "1 ", "1.0", "\\N"])
    assert.equal(isRead("integer", text), false, text);
  assert.equal(isRead("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), true);
  for (const text of ["A0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc999c0b4ef8bb6d6bb9bd380a11", "\\N"])
    assert.equal(isRead("uuid", text), false, text);
  assert.equal(isRead("date", "2025-03-10"), true);
  for (const text of ["10.03.2025", "03/10/2025", "infinity", "12025-03-10"])
    assert.equal(isRead("date", text), false, text);
  for (const text of ["a", "Ä b", ""]) assert.equal(isRead("text", text), true, text);
  for (const text of ["a ", "a\\tb", "\\N"]) assert.equal(isRead("text", text), false, text);
  assert.equal(isRead(null, "1"), undefined);
});

test("keys of several columns are the same only when all columns are; those of two tables never are", () => {
  const columns = [column("a", "text"), column("v", null), column("b", "text")];
  const keys = (seed: number) => KeyReader.of(columns, [columns[2]!, columns[0]!], seed)!;
  const known = new KeySet();
  const isNew = (reader: KeyReader, line: string) => {
    assert.ok(reader.read(Buffer.from(`${line}\n`), 0));
    return known.add(reader.first, reader.second);
  };
  assert.ok(isNew(keys(0), "a\tx\tb"));
  assert.ok(isNew(keys(0), "ab\tx\t"));
  assert.ok(isNew(keys(0), "\tx\tab"));
  assert.ok(isNew(keys(0), "b\tx\ta"));
  assert.ok(!isNew(keys(0), "a\ty\tb"));
  assert.ok(isNew(keys(1), "a\ty\tb"));
});

test("a set of keys grows, tells known from new, and can be emptied", () => {
  const key = column("k", "integer");
  const reader = KeyReader.of([key], [key], 0)!;
  const set = new KeySet();
  const add = (nr: number) => {
    assert.ok(reader.read(Buffer.from(`${nr}\n`), 0));
    return set.add(reader.first, reader.second);
  };
  for (let nr = 0; nr < 20_000; nr += 1) assert.ok(add(nr), String(nr));
  for (let nr = 0; nr < 20_000; nr += 1) assert.ok(!add(nr), String(nr));
  assert.equal(set.size, 20_000);
  set.clear();
  assert.ok(add(7));
  assert.equal(set.size, 1);
});

test("a set of keys with no more room takes 8 MB", () => {
  const set = new KeySet();
  for (let nr = 1; set.hasRoomFor(1); nr += 1) set.add(Math.imul(nr, 0x9e3779b1), nr);
  assert.ok(set.size > 600_000);
  assert.equal(set.bytes, 8 << 20);
  assert.equal(set.hasRoomFor(1000), false);
});
