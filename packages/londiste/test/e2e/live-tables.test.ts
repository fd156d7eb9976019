import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Replication } from "../fixture/replication.js";

const plain = `create table accounts (id int8 primary key, owner text not null, balance numeric(12,2));`;

/** Names and types that go wrong where somebody quotes or converts carelessly. */
const hostile = `
  create schema "Weird Schema's";
  create type mood as enum ('sad', 'so "so"', 'happy');
  create domain short_json as jsonb;
  create table "Weird Schema's"."Table.""x"" \\ 1" (
    "order" int8, "Group By" text, "ключ" uuid,
    n numeric, f float8, r float4, b bytea, ts timestamptz, t timestamp, d date, i interval, ti time,
    a text[], na numeric[], j json, jb jsonb, dj short_json, m mood, bo bool, c char(5), vc varchar(10), x xml, ip inet,
    rng int4range, p point, "select" bit varying(8), mo money, o oid, nm name, tsv tsvector,
    g numeric generated always as (n * 2) stored,
    "id always" int generated always as identity,
    primary key ("order", "Group By"));
  create unique index "odd "" index" on "Weird Schema's"."Table.""x"" \\ 1" ("ключ") where "ключ" is not null;
  create table "UPPER" ("Id" int primary key, "User" text unique);
  create table keys_only (a int, b text, primary key (b, a));`;

const hostileRows = `
  insert into "Weird Schema's"."Table.""x"" \\ 1" values
   (9223372036854775807, E'tab\\t newline\\n back\\\\slash ''q'' "d" \\u00e9\\U0001F600', '00000000-0000-0000-0000-000000000001',
    'NaN', 'Infinity', 1.1, '\\x00ff5c', '2025-06-01 12:34:56.123456+03', '0044-03-15 BC', '2024-02-29', '1 year -2 days 03:04:05.6',
    '23:59:59.999999', array['a', null, '', 'x"y', E'\\\\'], array[1.10, null], '{"a" : [1, 2, {"b": null}]}', '{"a": "x\\"y", "n": 1e400}',
    '"text"', 'so "so"', true, 'ab', 'xyz', '<a>&amp;</a>', '10.0.0.1/8', '[1,5)', '(1.5,-2)', b'10110', 12.34, 4294967295, 'a name', 'a:1 b:2'),
   (1, '', null, 1.000, '-0', 'NaN', '', 'infinity', '-infinity', 'infinity', '0', '00:00', '{}', '{{1,2},{3,4}}', 'null', 'null',
    null, 'sad', false, '', '', null, '::1', 'empty', null, b'', '-0.01', 0, '', ''),
   (2, 'null columns', null, null, null, null, null, null, null, null, null, null, null, null, null, null,
    null, null, null, null, null, null, null, null, null, null, null, null, null, null);`;

let stage: Replication;

before(async () => {
  stage = await Replication.startNodes(plain + hostile);
  await stage.run(
    "root",
    `insert into accounts select g, 'owner ' || g, g from generate_series(1, 500) g;
     insert into "UPPER" values (1, 'one'), (2, 'two'), (3, null);
     insert into keys_only values (1, 'x'), (2, 'y');
     create sequence ids start 5; ${hostileRows}`,
  );
  await stage.run("leaf", "create sequence ids start 5");
});

after(async () => {
  await stage[Symbol.asyncDispose]();
});

const hostileName = `Weird Schema's.Table."x" \\ 1`;
const names = ["accounts", "public.UPPER", "keys_only"];

test("tables are copied and then follow every change; compare sees them identical", async () => {
  await stage.londiste("root", "add-table", ...names);
  const result = await stage.londiste("leaf", "add-table", ...names, "--wait-sync");
  assert.match(result.stderr, /Table added: public\.accounts/);
  await stage.run(
    "root",
    `begin; update accounts set balance = balance + 0.01 where id <= 100; delete from accounts where id > 450;
       insert into accounts values (1000, 'back''s\\lash', null); commit;
     update "UPPER" set "User" = null where "Id" = 1; update "UPPER" set "User" = 'one' where "Id" = 2;
     update "UPPER" set "User" = 'two' where "Id" = 1;
     update keys_only set a = a; insert into keys_only values (3, ''); delete from keys_only where a = 2;`,
  );
  await stage.waitUntilReplicated();
  const compared = await stage.londiste("leaf", "compare");
  assert.match(compared.stdout, /public\.accounts identical: 451 rows, checksum=\d+/);
  assert.match(compared.stderr, /INFO srcdb: 451 rows, checksum=\d+\n.*INFO dstdb: 451 rows, checksum=\d+/);
});

test("a local change of a replicated table is refused on the leaf", async () => {
  await assert.rejects(
    stage.run("leaf", "insert into accounts values (7000, 'x', 1)"),
    /change not allowed \(INSERT\)/,
  );
});

test("awkward names and values of many types arrive unchanged, copied and replayed", async () => {
  await stage.londiste("root", "add-table", hostileName);
  await stage.londiste("leaf", "add-table", hostileName, "--wait-sync");
  const name = `"Weird Schema's"."Table.""x"" \\ 1"`;
  await stage.run(
    "root",
    `insert into ${name} overriding system value select "order" - 100, "Group By", null, n, f, r, b, ts, t, d, i, ti, a, na, j, jb, dj, m, bo, c,
       vc, x, ip, rng, p, "select", mo, o, nm, tsv from ${name};
     update ${name} set "Group By" = 'moved' where "order" = -98;
     update ${name} set n = 5, vc = null, jb = '[]' where "order" = 1;`,
  );
  await stage.waitUntilReplicated();
  const dump = `select t::text as row from ${name} t order by "order", "Group By"`;
  const rows = await stage.query("root", dump);
  assert.equal(rows.length, 6);
  assert.deepEqual(await stage.query("leaf", dump), rows);
  assert.doesNotMatch(stage.log("leaf"), /Weird.*row by row/);
  await stage.londiste("leaf", "compare", hostileName);
});

test("compare finds a difference, names the table and exits with the number of them", async () => {
  await stage.run(
    "leaf",
    "set session_replication_role = replica; update accounts set owner = 'wrong' where id = 5; delete from keys_only",
  );
  const result = await stage.tryLondiste("leaf", "compare");
  assert.equal(result.code, 2);
  assert.match(
    result.stdout,
    /public\.accounts DIFFERENT: source 451 rows, checksum=\d+; here 451 rows, checksum=\d+/,
  );
  assert.match(result.stdout, /public\.keys_only DIFFERENT: source 2 rows/);
  assert.match(result.stderr, /WARNING public\.accounts: Results do not match!/);
  const counted = await stage.tryLondiste("leaf", "compare", "--count-only", "--json", "accounts");
  assert.equal(counted.code, 0);
  assert.deepEqual(JSON.parse(counted.stdout)[0].source, { rows: 451, checksum: null });
});

test("resync copies a table anew", async () => {
  await stage.londiste("leaf", "resync", "accounts", "keys_only");
  await stage.waitUntilReplicated();
  await stage.londiste("leaf", "compare");
});

test("a sequence is carried over ahead of its use", async () => {
  await stage.londiste("root", "add-seq", "ids");
  await stage.londiste("leaf", "add-seq", "ids");
  const [value] = await stage.query<{ last_value: bigint }>("leaf", "select last_value from ids");
  assert.ok(value!.last_value >= 10_000n, String(value!.last_value));
  const listed = await stage.londiste("leaf", "seqs", "--json");
  const sequences = JSON.parse(listed.stdout) as { readonly name: string }[];
  assert.ok(sequences.some((sequence) => sequence.name === "public.ids"));
});

test("tables and status report; nothing is left of the copy processes", async () => {
  const listed = await stage.londiste("leaf", "tables");
  assert.match(listed.stdout, /Tables on node leaf\n/);
  assert.match(listed.stdout, /public\.accounts +ok +\{\}/);
  const status = await stage.londiste("leaf", "status");
  assert.match(status.stdout, /leaf \(leaf\)[\s\S]*Tables: 4\/0\/0/);
  await stage.waitForCopiesToEnd();
});

test("a truncated table is empty on the leaf, in order with what follows", async () => {
  await stage.run(
    "root",
    "begin; insert into keys_only values (7, 'before'); truncate keys_only; insert into keys_only values (8, 'after'); commit",
  );
  await stage.waitUntilReplicated();
  assert.deepEqual(await stage.query("leaf", "select a, b from keys_only"), [{ a: 8, b: "after" }]);
});

test("a removed table stays as it is and is written to again", async () => {
  await stage.londiste("leaf", "remove-table", "UPPER");
  await stage.run("leaf", `insert into "UPPER" values (100, 'mine')`);
  const missing = await stage.londiste("leaf", "missing");
  assert.match(missing.stdout, /r +public\.UPPER/);
});

test("what happens to a table under another name belongs to the table", async () => {
  await stage.run(
    "root",
    `begin; alter table accounts rename to ledger; insert into ledger values (2000, 'new', 1); commit;
     update ledger set owner = 'renamed' where id = 2000; delete from ledger where id < 10;
     alter table ledger rename to accounts`,
  );
  await stage.waitUntilReplicated();
  const rows = "select count(*)::int as rows, min(id) as first, max(owner) as owner from accounts";
  assert.deepEqual(await stage.query("leaf", rows), await stage.query("root", rows));
  assert.deepEqual(await stage.query("leaf", "select owner from accounts where id = 2000"), [
    { owner: "renamed" },
  ]);
});
