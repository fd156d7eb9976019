import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { urlDecodeRow } from "@skytools/skytools";
import { type TemporaryDirectory, temporaryDirectory } from "@skytools/testbed";
import { silentLog, type TestEvent } from "../fixture/apply-bench.js";
import { HandlerBench, jsonChange, testRegistry } from "../fixture/handler-bench.js";

const moments = [
  ["timestamptz", "'2026-07-01 10:20:30.1234+00'"],
  ["timestamptz", "'1900-01-01 00:00:00+00'"],
  ["timestamptz", "'0001-01-01 00:00:00+00 BC'"],
  ["timestamptz", "'294276-12-31 23:00:00+00'"],
  ["timestamptz", "'-infinity'"],
  ["timestamp", "'0044-03-15 12:00:00 BC'"],
  ["date", "'0044-03-15 BC'"],
  ["timetz", "'10:20:30+02'"],
  ["timestamptz[]", "array['2026-12-31 23:30:00+00', null]::timestamptz[]"],
  ["tstzrange", "'[2026-07-01 10:20:30+00,)'"],
  ["boolean[]", "'{t,f}'"],
  ["boolean", "true"],
  ["float8", "0.1::float8 + 0.2"],
  ["interval", "'-1 day 2 hours'"],
  ["jsonb", `'{"at": "2026-07-01T10:20:30+02:00"}'`],
] as const;

let bench: HandlerBench;
let directory: TemporaryDirectory;

before(async () => {
  directory = await temporaryDirectory("handlers");
  writeFileSync(
    join(directory.path, "map.yaml"),
    `data.moments: {${moments.map((_value, nr) => `c${nr}: hash`).join(", ")}}\n` +
      "data.blobs: {b: hash}\n" +
      "data.t:\n  id: keep\n  h: hash\n  h32: hash32\n  h64: hash64\n  b: bool\n  secret: skip\n  j: {open: keep, hidden: hash, deep: {n: keep}}\n",
  );
  bench = await HandlerBench.start(
    `obfuscator_map = ${join(directory.path, "map.yaml")}\nobfuscator_key = pepper\nshard_info_sql = select 1 as part_nr, 3 as max_part\n`,
  );
});

after(async () => {
  await bench[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

/** The same events, once few and once so many that they go as a set: with rows of no interest added. */
function bothSizes(events: readonly TestEvent[], filler: (id: number) => Readonly<Record<string, unknown>>) {
  const more = Array.from({ length: 60 }, (_, nr) => jsonChange("INSERT", filler(10_000 + nr)));
  return [
    ["few", events],
    ["many", [...events, ...more]],
  ] as const;
}

test("filter: rows come when they meet the condition and go when they do not, however they are applied", async () => {
  const events = [
    jsonChange("INSERT", { id: 1, v: 5, n: "in" }),
    jsonChange("INSERT", { id: 2, v: 50, n: "out" }),
    jsonChange("UPDATE", { id: 11, v: 99, n: "leaves" }),
    jsonChange("UPDATE", { id: 12, v: 1, n: "stays" }),
    jsonChange("UPDATE", { id: 13, v: 2, n: "arrives" }),
    jsonChange("UPDATE", { id: 14, v: null, n: "NULL is not true" }),
    jsonChange("DELETE", { id: 15, v: 1, n: "" }),
    jsonChange("DELETE", { id: 16, v: 99, n: "" }),
    jsonChange("INSERT", { id: 3, v: 50, n: "" }),
    jsonChange("UPDATE", { id: 3, v: 1, n: "in at last" }),
    jsonChange("INSERT", { id: 4, v: 1, n: "" }),
    jsonChange("UPDATE", { id: 4, v: 50, n: "out at last" }),
  ];
  for (const [size, all] of bothSizes(events, (id) => ({ id, v: 60, n: "" }))) {
    await bench.reset(
      `create table t (id int primary key, v int, n text, here text default 'here');
       insert into t select g, 3, 'old', 'mine' from unnest(array[11, 12, 14, 15]) g`,
    );
    const result = await bench.apply(all, { name: "filter", args: ["where=v < 10"] });
    assert.equal(result.rowByRowEvents > 0, size === "few", "the other way was taken");
    assert.deepEqual(
      await bench.rows("select id, v, n, here from t order by id"),
      [
        { id: 1, v: 5, n: "in", here: "here" },
        { id: 3, v: 1, n: "in at last", here: "here" },
        { id: 12, v: 1, n: "stays", here: "mine" },
        { id: 13, v: 2, n: "arrives", here: "here" },
      ],
      size,
    );
  }
});

const sql = (type: "I" | "U" | "D", data: string): TestEvent => ({ type, data, table: "data.t" });

test("filter: partial SQL is filtered too; an update that has not all columns is refused", async () => {
  const where = { name: "filter", args: ["where=v < 10"] };
  const setup =
    "create table t (id int primary key, v int, n text); insert into t values (11, 3, 'old'), (12, 3, 'old')";
  const inserts = (from: number) =>
    Array.from({ length: 40 }, (_, nr) => sql("I", `(id,v,n) values ('${from + nr}','60','')`));
  for (const more of [[], inserts(100)]) {
    await bench.reset(setup);
    await bench.apply(
      [
        sql("I", "(id,v,n) values ('1','5','in')"),
        sql("I", "(id,v,n) values ('2','50','out')"),
        ...more,
        sql("U", "v='50',n='leaves' where id='11'"),
        sql("U", "v='2',n='arrives' where id='13'"),
        sql("D", "id='12'"),
      ],
      where,
    );
    assert.deepEqual(await bench.rows("select * from t order by id"), [
      { id: 1, v: 5, n: "in" },
      { id: 13, v: 2, n: "arrives" },
    ]);
  }
  await bench.reset(setup);
  await assert.rejects(
    bench.apply([sql("U", "v='50' where id='11'")], where),
    /\[ev_id=\d+,.*only the columns that changed.*flag L or J in place of Q.*update on table "data\.t"/,
  );
});

test("shard applies rows of its own hash, and says when events have none", async () => {
  await bench.reset("create table t (id int primary key)");
  const events = [0, 1, 2, 3, 5, -3].map((hash, nr) => ({
    ...jsonChange("INSERT", { id: nr }),
    extra3: `hash=${hash}`,
  }));
  await bench.apply(events, { name: "shard", args: ["hash_key=id"] });
  assert.deepEqual(await bench.rows("select id from t order by id"), [{ id: 1 }, { id: 4 }, { id: 5 }]);
  await assert.rejects(
    bench.apply([jsonChange("INSERT", { id: 9 })], { name: "shard", args: ["hash_key=id"] }),
    /extra3 not filled on data\.t/,
  );
  const table = bench.registry.create(
    { name: "shard", arguments: new Map([["hash_key", "id"]]) },
    { name: "data.t", destination: "data.t" },
  );
  assert.deepEqual(table.registration, ["ev_extra3='hash='||partconf.get_hash_raw(id)"]);
  assert.equal(await table.rowCondition?.(bench.bench.target), "(partconf.get_hash_raw(id) & 3) = 1");
  await bench.bench.target.rollback();
});

test("multimaster: of two versions of a row the newer wins, in JSON as well as urlencoded", async () => {
  await bench.reset("create table t (id int primary key, v text, at timestamp)");
  const events = [
    jsonChange("INSERT", { id: 1, v: "first, with & and +", at: "2025-01-02T00:00:00" }),
    jsonChange("INSERT", { id: 1, v: "older", at: "2025-01-01T00:00:00" }),
    { type: "U:id", data: "id=1&v=newest&at=2025-01-03+00%3a00%3a00", table: "data.t" },
    jsonChange("INSERT", { id: 2, v: "x & y + z", at: "2025-01-01T00:00:00" }),
  ];
  await bench.apply(events, { name: "multimaster", args: ["timefield=at"] });
  assert.deepEqual(await bench.rows("select id, v from t order by id"), [
    { id: 1, v: "newest" },
    { id: 2, v: "x & y + z" },
  ]);
});

test("qsplitter puts events of any kind into another queue, in order, once", async () => {
  await bench.bench.source.execute("select pgq.create_queue('other')");
  const events: TestEvent[] = [
    jsonChange("INSERT", { id: 1 }),
    { type: "D", data: "id='1'", table: "data.t" },
    { type: "R", data: "", table: "data.t" },
  ];
  const handler = { name: "qsplitter", args: ["queue=other"] };
  await bench.apply(events, handler);
  const stored = await bench.rows<{ ev_type: string; ev_extra1: string }>(
    "select ev_type, ev_extra1 from pgq.event_template order by ev_id",
  );
  assert.deepEqual(
    stored.map((event) => event.ev_type.slice(0, 5)),
    ['{"op"', "D", "R"],
  );
});

test("obfuscate hides values here and in the events that go on; what is no number of ours stays exact", async () => {
  await bench.reset(
    "create table t (id int8 primary key, h uuid, h32 int, h64 int8, b boolean, secret text, j json)",
  );
  const row =
    '{"id": 9007199254740993, "h": "x", "h32": true, "h64": null, "b": "", "secret": "s", "j": "{\\"open\\": 12345678901234567890, \\"hidden\\": \\"x\\", \\"other\\": 1, \\"deep\\": {\\"n\\": 1, \\"m\\": 2}}"}';
  await bench.apply([{ type: '{"op":"INSERT","pkey":["id"]}', data: row, table: "data.t" }], {
    name: "obfuscate",
  });
  const [stored] = await bench.rows<{ id: string; h: string; b: boolean; secret: string | null; j: string }>(
    "select id::text, h::text, h32, h64, b, secret, j::text from t",
  );
  assert.ok(stored);
  assert.equal(stored.id, "9007199254740993");
  assert.match(stored.h, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-7][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(stored.secret, null);
  assert.equal(stored.b, false);
  assert.equal(stored.j, `{"open":12345678901234567890,"hidden":"${stored.h}","deep":{"n":1}}`);
  const table = bench.registry.create(
    { name: "obfuscate", arguments: new Map() },
    { name: "data.t", destination: "data.t" },
  );
  const forward = await table.forward?.(bench.bench.target);
  const event = {
    id: 1n,
    time: "",
    txid: 1n,
    retry: null,
    type: "U:id",
    extra1: "data.t",
    extra3: null,
    extra4: null,
  };
  const forwarded = forward?.({ ...event, data: "id=1&h=x&secret=s", extra2: "id=1&h=old" });
  assert.equal(forwarded?.extra2, null, "the old row");
  const data = urlDecodeRow(forwarded?.data ?? "");
  assert.deepEqual(
    [...data],
    [
      ["id", "1"],
      ["h", stored.h],
    ],
  );
});

test("obfuscate: a value hashes alike whether it was copied or comes in an event, in whatever time zones", async () => {
  const columns = moments.map(([type], nr) => `c${nr} ${type}`).join(", ");
  await bench.reset(`create table moments (id int primary key, ${columns});
    select pgq.create_queue('moments'), pgq.create_capture('moments', 'cap', 'moments')`);
  const table = bench.registry.create(
    { name: "obfuscate", arguments: new Map() },
    { name: "data.moments", destination: "data.moments" },
  );
  const forward = await table.forward?.(bench.bench.target);
  const hashes: Record<string, unknown>[] = [];
  for (const zone of ["UTC", "Asia/Kathmandu", "Europe/Amsterdam"]) {
    await bench.bench.source.execute(`set timezone = '${zone}'; delete from moments; delete from pgq.event_template;
      insert into moments values (1, ${moments.map(([, value]) => value).join(", ")})`);
    const texts = moments.map((_value, nr) => `'c${nr}', format('%s', c${nr})`).join(", ");
    const [copied] = await bench.rows<{ row: string }>(
      `select json_build_object(${texts})::text as row from moments`,
    );
    const [event] = await bench.rows<{ ev_type: string; ev_data: string }>(
      "select ev_type, ev_data from pgq.event_template where ev_extra1 = 'data.moments' and ev_type ~ 'INSERT'",
    );
    const common = { id: 1n, time: "", txid: 1n, retry: null, extra1: "data.moments" };
    const extras = { extra2: null, extra3: null, extra4: null };
    const forwarded = forward?.({ ...common, ...extras, type: event!.ev_type, data: event!.ev_data });
    hashes.push(
      Object.fromEntries(
        table.copyRow?.(new Map(Object.entries(JSON.parse(copied!.row) as Record<string, string>))) ?? [],
      ),
      JSON.parse(forwarded?.data ?? "{}") as Record<string, unknown>,
    );
  }
  await bench.bench.source.execute("reset timezone");
  for (const [nr, [type]] of moments.entries()) {
    const seen = new Set(hashes.map((row) => row[`c${nr}`]));
    assert.equal(seen.size, 1, `${type}: ${[...seen].join(" ")}`);
    assert.match(String([...seen][0]), /^[0-9a-f-]{36}$/);
  }
});

test("obfuscate: a bytea hashes as its copy does, whatever its writer has set", async () => {
  await bench.reset(`create table blobs (id int primary key, b bytea);
    select pgq.create_queue('blobs'), pgq.create_capture('blobs', 'cap', 'blobs')`);
  const name = "data.blobs";
  const table = bench.registry.create(
    { name: "obfuscate", arguments: new Map() },
    { name, destination: name },
  );
  const forward = await table.forward?.(bench.bench.target);
  const copied = table.copyRow?.(new Map([["b", "\\x0061ff"]]));
  for (const output of ["escape", "hex"]) {
    await bench.bench.source.execute(
      `set bytea_output = ${output}; delete from blobs; delete from pgq.event_template; insert into blobs values (1, '\\x0061ff')`,
    );
    const [event] = await bench.rows<{ type: string; data: string }>(
      "select ev_type as type, ev_data as data from pgq.event_template where ev_type ~ 'INSERT'",
    );
    const common = { id: 1n, time: "", txid: 1n, retry: null, extra1: name };
    const forwarded = forward?.({ ...common, extra2: null, extra3: null, extra4: null, ...event! });
    assert.deepEqual(JSON.parse(forwarded?.data ?? "{}"), Object.fromEntries(copied ?? []), output);
  }
});

const damaged = { type: "I:id", data: "id=1&v=a%ffb%c3%a9", table: "data.t", extra3: "hash=1" };

for (const { name, args = [] } of [
  { name: "londiste" },
  { name: "bulk_direct", args: ["method=1"] },
  { name: "dispatch", args: ["table_mode=direct"] },
  { name: "shard", args: ["hash_key=id"] },
]) {
  test(`${name}: encoding=utf8 replaces bytes that are no text and says where; without it they are refused`, async () => {
    await bench.reset("create table t (id int primary key, v text)");
    await assert.rejects(bench.apply([damaged], { name, args }), /\[ev_id=\d+,.*insert on table "data\.t"/);
    assert.deepEqual(await bench.rows("select v from t"), []);
    silentLog.lines.length = 0;
    await bench.apply([damaged], { name, args: [...args, "encoding=utf8"] });
    assert.deepEqual(await bench.rows("select v from t"), [{ v: "a\ufffdb\u00e9" }]);
    assert.match(silentLog.lines.join("\n"), /Fixed invalid UTF8 in column <data\.t\.v>/);
  });
}

test("a module of one's own is loaded; one that cannot be is named with its key", async () => {
  const file = join(directory.path, "own.mjs");
  writeFileSync(
    file,
    `export const handlers = [{ name: "upper", summary: "upper case", doc: "", arguments: [], create: (table) => ({
       open: (batch) => ({
         row: (event) => batch.change(event, table.destination, {
           operation: event.operation, key: event.key,
           row: new Map([...event.row()].map(([name, value]) => [name, value?.toUpperCase() ?? null])) }),
         flush: async () => {} }) }) }];`,
  );
  const registry = await testRegistry(`handler_modules = ${file}, londiste.handlers.bulk\n`);
  const table = registry.create(
    { name: "upper", arguments: new Map() },
    { name: "data.t", destination: "data.t" },
  );
  await bench.reset("create table t (id int primary key, v text)");
  bench.bench.handlers = new Map([["data.t", table]]);
  await bench.bench.apply([jsonChange("INSERT", { id: 1, v: "abc" })], { "data.t": "data.t" });
  assert.deepEqual(await bench.rows("select v from t"), [{ v: "ABC" }]);
  await assert.rejects(
    testRegistry("handler_modules = ./nowhere.js\n"),
    /handler_modules: Failed to load handler module: \.\/nowhere\.js/,
  );
});
