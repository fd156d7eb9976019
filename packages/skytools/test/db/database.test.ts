import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startCluster } from "@skytools/testbed";
import { Database, DatabaseError, type TextColumn } from "#src/index.js";
import { databaseFailure } from "../fixture/database-failure.ts";

const cluster = await startCluster();
after(() => cluster[Symbol.asyncDispose]());
const connstr = await cluster.createDatabase("main");

test("values come as exact types: int8 as bigint, timestamps with microseconds as text", async () => {
  await using db = await Database.open(connstr);
  const [row] = await db.query(`
    select 9223372036854775807::int8 as i8, 7::int4 as i4, 3::int2 as i2, 0.1::float8 as f8, true as b, null::int8 as n,
           '2024-02-29 12:34:56.123456+00'::timestamptz as tz, '2024-02-29'::date as d, '1 day 02:03'::interval as iv,
           12345678901234567890.123::numeric as num, '{"a": 1}'::jsonb as j, '\\xdeadBEEF'::bytea as raw,
           array[1, 9223372036854775807]::int8[] as a8, array['a', null, 'b"c']::text[] as atext,
           '{{1,2},{3,4}}'::int4[] as nested, array['2024-01-01 00:00:00.000001'::timestamp] as ats`);
  assert.deepEqual(row, {
    i8: 9223372036854775807n,
    i4: 7,
    i2: 3,
    f8: 0.1,
    b: true,
    n: null,
    tz: "2024-02-29 12:34:56.123456+00",
    d: "2024-02-29",
    iv: "1 day 02:03:00",
    num: "12345678901234567890.123",
    j: '{"a": 1}',
    raw: "\\xdeadbeef",
    a8: [1n, 9223372036854775807n],
    atext: ["a", null, 'b"c'],
    nested: [
      [1, 2],
      [3, 4],
    ],
    ats: ["2024-01-01 00:00:00.000001"],
  });
});

test("a result to look at comes row by row as the server prints it, with its command tag", async () => {
  await using db = await Database.open(connstr);
  const seen: unknown[] = [];
  const receiver = {
    onColumns: (columns: readonly TextColumn[]) => seen.push(columns.map(({ name }) => name)),
    onRow: (row: readonly (string | null)[]) => seen.push(row),
    onCopyData: (chunk: Buffer) => seen.push(String(chunk)),
  };
  assert.equal(await db.queryText("select $1::bool as b, $2::int8", ["true", null], receiver), "SELECT 1");
  assert.equal(
    await db.queryText("create temporary table shown as select 1.50 as x", [], receiver),
    "SELECT 1",
  );
  assert.equal(await db.queryText("copy shown to stdout", [], receiver), "COPY 1");
  assert.deepEqual(seen, [["b", "int8"], ["t", null], "1.50\n"]);
  await assert.rejects(
    db.queryText("select 1/0", [], receiver),
    databaseFailure("22012", /division by zero/),
  );
  await db.rollback();
  await assert.rejects(
    db.queryText("copy pg_class from stdin", [], receiver),
    (error) => error instanceof DatabaseError && !db.isBroken,
  );
  await db.rollback();
  assert.equal(await db.queryValue("select 1"), 1);
});

test("parameters of each kind arrive", async () => {
  await using db = await Database.open(connstr);
  const row = await db.queryOne(
    "select $1::int8 as i, $2::text as t, $3::int8[] as a, $4::bool as b, $5::text[] as x",
    [2n ** 62n, "it's", [1n, 2n], true, ['a"b', null, "\\"]],
  );
  assert.deepEqual(row, { i: 2n ** 62n, t: "it's", a: [1n, 2n], b: true, x: ['a"b', null, "\\"] });
});

test("the rows of a first statement with parameters are its own, not those of BEGIN", async () => {
  await using db = await Database.open(connstr);
  assert.deepEqual(await db.query("select $1::int as a", [1]), [{ a: 1 }]);
  await db.commit();
  await db.execute("create temp table p(a int)");
  await db.commit();
  assert.deepEqual(await db.query("insert into p values ($1)", [1]), []);
  await db.commit();
  assert.deepEqual(await db.query("insert into p values ($1) returning a", [2]), [{ a: 2 }]);
  await db.commit();
  await assert.rejects(db.query("select 1 / $1::int", [0]), databaseFailure("22012", /division by zero/));
  assert.equal(db.inTransaction, true);
  await db.rollback();
  assert.equal(await db.queryValue("select count(*) from p"), 2n);
});

test("what our own schemas lack is told to be older server code", async () => {
  await using db = await Database.open(connstr);
  await db.execute("create schema if not exists londiste");
  await db.commit();
  await assert.rejects(db.query("select londiste.get_copy_progress('q')"), {
    message: /function londiste\.get_copy_progress\(unknown\) does not exist/,
    hint: /older than this program: .*skytools_upgrade3/,
  });
  await db.rollback();
  await assert.rejects(db.query("select nothing('q')"), { hint: /No function matches/ });
});

test("an error tells SQLSTATE, place and a short form of the statement, and leaves the transaction failed", async () => {
  await using db = await Database.open(connstr);
  const sql = `select no_such_column, '${"x".repeat(300)}'`;
  await assert.rejects(db.query(sql), (error) => {
    assert.ok(error instanceof DatabaseError);
    assert.equal(error.message, `column "no_such_column" does not exist (${db.label}, SQLSTATE 42703)`);
    assert.equal(error.sqlState, "42703");
    assert.equal(error.database, db.label);
    assert.equal(error.query, `${sql.slice(0, 60)} ...`);
    assert.equal(error.retry, "no");
    return true;
  });
  await assert.rejects(db.query("select 1"), databaseFailure("25P02", /current transaction is aborted/));
  await assert.rejects(db.commit(), databaseFailure(undefined, /commit of a failed transaction/));
  assert.equal(db.inTransaction, false);
  assert.equal(await db.queryValue("select 1"), 1);
});

test("detail and hint of the server are kept", async () => {
  await using db = await Database.open(connstr);
  await db.execute("create table uniq(id int primary key)");
  await db.query("insert into uniq values (1)");
  await assert.rejects(db.query("insert into uniq values (1)"), (error) => {
    assert.ok(error instanceof DatabaseError);
    assert.equal(error.sqlState, "23505");
    assert.match(error.detail ?? "", /already exists/);
    return true;
  });
  await db.rollback();
  await assert.rejects(db.query("select pg_catalog.lower(now())"), (error) => {
    assert.ok(error instanceof DatabaseError);
    assert.match(error.hint ?? "", /explicit type casts/);
    return true;
  });
});

test("queryOne, queryMaybe and queryValue count their rows", async () => {
  await using db = await Database.open(connstr);
  const two = "select * from generate_series(1, 2) as g";
  await assert.rejects(db.queryOne(two), /query returned 2 rows, expected one/);
  await assert.rejects(db.queryOne(`${two} where false`), /query returned no row/);
  assert.equal(await db.queryMaybe(`${two} where false`), undefined);
  assert.equal(await db.queryValue(`${two} where false`), undefined);
  assert.equal(await db.queryValue("select null"), null);
});

test("statements issued at once run one after the other", async () => {
  await using db = await Database.open(connstr);
  const values = await Promise.all([1, 2, 3].map((value) => db.queryValue("select $1::int", [value])));
  assert.deepEqual(values, [1, 2, 3]);
  const [bad, good] = await Promise.allSettled([db.query("select 1/0"), db.rollback()]);
  assert.equal(bad?.status, "rejected");
  assert.equal(good?.status, "fulfilled");
  assert.equal(await db.queryValue("select 1"), 1);
});
