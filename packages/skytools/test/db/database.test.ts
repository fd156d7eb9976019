import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startCluster, waitFor } from "@skytools/testbed";
import { Database, DatabaseError, type Notice, pipeCopy, type TextColumn } from "#src/index.js";

const cluster = await startCluster();
after(() => cluster[Symbol.asyncDispose]());
const connstr = await cluster.createDatabase("main");

const databaseError = (sqlState: string | undefined, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof DatabaseError, String(error));
  assert.equal(error.sqlState, sqlState);
  assert.match(error.message, message);
  return true;
};

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
  await assert.rejects(db.queryText("select 1/0", [], receiver), databaseError("22012", /division by zero/));
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

test("text formats are fixed whatever the role or the connect string says", async () => {
  const odd =
    "-c datestyle=SQL,DMY -c intervalstyle=iso_8601 -c extra_float_digits=-5 -c bytea_output=escape " +
    "-c standard_conforming_strings=off";
  await using db = await Database.open(`${connstr} options='${odd}'`);
  const row = await db.queryOne(
    "select '2024-02-01'::date as d, '1 day'::interval as i, 0.1::float8::text as f, '\\x01'::bytea::text as b",
  );
  assert.deepEqual(row, { d: "2024-02-01", i: "1 day", f: "0.1", b: "\\x01" });
});

test("the first statement opens a transaction, commit and rollback end it, outside they do nothing", async () => {
  await using db = await Database.open(connstr);
  await using other = await Database.open(connstr, { autocommit: true });
  await other.execute("create table tx(id int)");
  await db.commit();
  await db.rollback();
  assert.equal(db.inTransaction, false);
  await db.query("insert into tx values ($1)", [1]);
  assert.equal(db.inTransaction, true);
  await db.execute("insert into tx values (2); insert into tx values (3)");
  assert.equal(await other.queryValue("select count(*) from tx"), 0n);
  await db.commit();
  assert.equal(await other.queryValue("select count(*) from tx"), 3n);
  await db.query("delete from tx");
  await db.rollback();
  assert.equal(await other.queryValue("select count(*) from tx"), 3n);
  assert.equal(other.inTransaction, false);
});

test("closing without commit rolls back", async () => {
  await using other = await Database.open(connstr, { autocommit: true });
  await other.execute("create table closed(id int)");
  const db = await Database.open(connstr);
  await db.query("insert into closed values (1)");
  await db.close();
  await db.close();
  assert.equal(db.isBroken, true);
  assert.equal(await other.queryValue("select count(*) from closed"), 0n);
  await assert.rejects(
    db.query("select 1"),
    databaseError(undefined, /^connection lost: connection was closed \(main on /),
  );
});

test("closing while a statement runs ends it in the server too", async () => {
  const db = await Database.open(connstr);
  const sleeping = db.query("select pg_sleep(60)");
  sleeping.catch(() => undefined);
  const state = async () => {
    const [row] = await cluster.query("select state from pg_stat_activity where pid = $1", [db.backendPid]);
    return row?.state as string | undefined;
  };
  await waitFor("the sleep", async () => (await state()) === "active");
  await db.close();
  await assert.rejects(sleeping, DatabaseError);
  await waitFor("the backend to end", async () => (await state()) === undefined, { timeoutMs: 10_000 });
});

test("the isolation level is the one asked for, with and without parameters in the first statement", async () => {
  for (const isolation of ["read committed", "repeatable read", "serializable"] as const) {
    await using db = await Database.open(connstr, { isolation });
    const sql = "select current_setting('transaction_isolation')";
    assert.equal(await db.queryValue(sql), isolation);
    await db.commit();
    assert.equal(await db.queryValue(`${sql} where $1`, [true]), isolation);
    assert.equal(db.inTransaction, true);
  }
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
  await assert.rejects(db.query("select 1 / $1::int", [0]), databaseError("22012", /division by zero/));
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
  await assert.rejects(db.query("select 1"), databaseError("25P02", /current transaction is aborted/));
  await assert.rejects(db.commit(), databaseError(undefined, /commit of a failed transaction/));
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

test("transaction() commits, or rolls back and rethrows, also in autocommit", async () => {
  for (const autocommit of [false, true]) {
    await using db = await Database.open(connstr, { autocommit });
    await db.transaction(() => db.execute("drop table if exists t2; create table t2(id int)"));
    assert.equal(db.inTransaction, false);
    await assert.rejects(
      db.transaction(async () => {
        await db.query("insert into t2 values ($1)", [1]);
        assert.equal(db.inTransaction, true);
        throw new Error("changed my mind");
      }),
      /changed my mind/,
    );
    assert.equal(db.inTransaction, false);
    const result = await db.transaction(async () => {
      await db.execute("insert into t2 values (2)");
      return "kept";
    });
    assert.equal(result, "kept");
    assert.deepEqual(await db.query("select id from t2"), [{ id: 2 }]);
    await db.commit();
    await assert.rejects(
      db.transaction(() => db.transaction(async () => undefined)),
      databaseError(undefined, /transaction\(\) within transaction\(\)/),
    );
  }
});

test("autocommitted() makes each statement a transaction of its own", async () => {
  await using db = await Database.open(connstr);
  await db.execute("drop table if exists t3; create table t3(id int)");
  const rejected = db.autocommitted(async () => {
    assert.equal(db.inTransaction, false);
    await db.query("insert into t3 values ($1)", [1]);
    assert.equal(db.inTransaction, false);
    await db.query("select 1 / 0");
  });
  await assert.rejects(rejected, databaseError("22012", /division by zero/));
  await db.rollback();
  assert.deepEqual(await db.query("select id from t3"), [{ id: 1 }]);
  assert.equal(db.inTransaction, true);
});

test("a swallowed error in transaction() is not a silent success", async () => {
  await using db = await Database.open(connstr);
  await assert.rejects(
    db.transaction(async () => {
      await db.query("select 1 / 0").catch(() => undefined);
    }),
    databaseError(undefined, /commit of a failed transaction/),
  );
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

test("label, server version, backend pid and application name", async () => {
  await using db = await Database.open(connstr, { applicationName: "mover" });
  assert.equal(db.label, `main on ${cluster.socketDir}:${cluster.port}`);
  assert.equal(db.serverVersion, cluster.serverVersion);
  assert.equal(await db.queryValue("select pg_backend_pid()"), db.backendPid);
  assert.equal(await db.queryValue("select current_setting('application_name')"), "mover");
  await using named = await Database.open(`${connstr} application_name=own`, { applicationName: "mover" });
  assert.equal(await named.queryValue("select current_setting('application_name')"), "own");
});

test("cancel() ends the running statement", async () => {
  await using db = await Database.open(connstr);
  const sleeping = db.query("select pg_sleep(60)");
  sleeping.catch(() => undefined);
  await waitFor("the sleep", async () => {
    const [row] = await cluster.query("select state, query from pg_stat_activity where pid = $1", [
      db.backendPid,
    ]);
    return row?.state === "active" && String(row.query).includes("pg_sleep");
  });
  await db.cancel();
  await assert.rejects(sleeping, databaseError("57014", /canceling statement due to user request/));
  await db.rollback();
  await db.cancel();
  assert.equal(await db.queryValue("select 1"), 1);
});

test("notices and notifications are handed out", async () => {
  const notices: Notice[] = [];
  const channels: string[] = [];
  await using db = await Database.open(connstr, {
    autocommit: true,
    onNotice: (notice) => notices.push(notice),
    onNotification: ({ channel, payload }) => channels.push(`${channel}:${payload}`),
  });
  await db.execute("do $$ begin raise warning 'careful' using hint = 'slow down'; end $$");
  assert.equal(notices[0]?.severity, "WARNING");
  assert.equal(notices[0]?.message, "careful");
  assert.equal(notices[0]?.hint, "slow down");
  await db.execute("listen news");
  await cluster.query("notify news, 'hello'", [], "main");
  await waitFor("the notification", () => channels.includes("news:hello"));
});

test("a terminated backend is a state, not a crash: busy and idle", async () => {
  const busy = await Database.open(connstr);
  const idle = await Database.open(connstr);
  const sleeping = busy.query("select pg_sleep(60)");
  sleeping.catch(() => undefined);
  await waitFor("the sleep", async () => {
    const [row] = await cluster.query("select state from pg_stat_activity where pid = $1", [busy.backendPid]);
    return row?.state === "active";
  });
  await cluster.query("select pg_terminate_backend($1), pg_terminate_backend($2)", [
    busy.backendPid,
    idle.backendPid,
  ]);
  await assert.rejects(sleeping, (error) => {
    assert.ok(error instanceof DatabaseError);
    assert.equal(error.sqlState, "57P01");
    assert.equal(error.retry, "reconnect");
    return true;
  });
  await waitFor("both to notice", () => busy.isBroken && idle.isBroken);
  assert.equal(idle.inTransaction, false);
  await assert.rejects(idle.query("select 1"), (error) => {
    assert.ok(error instanceof DatabaseError);
    assert.match(error.message, /^connection lost: terminating connection/);
    assert.equal(error.retry, "reconnect");
    return true;
  });
  await idle.rollback();
  await idle.close();
  await busy.close();
});

test("a SQL_ASCII database: damaged text is refused; client_encoding=SQL_ASCII lets COPY move any bytes", async () => {
  await cluster.query("create database ascii template template0 encoding 'SQL_ASCII' locale 'C'");
  const latin = "select convert_from('\\xe9', 'SQL_ASCII')";
  await using strict = await Database.open(cluster.connstr("ascii"), { autocommit: true });
  assert.equal(await strict.queryValue("select 'zoë'"), "zoë");
  await assert.rejects(strict.query(latin), databaseError("22021", /invalid byte sequence/));
  await using raw = await Database.open(`${cluster.connstr("ascii")} client_encoding=SQL_ASCII`, {
    autocommit: true,
  });
  assert.equal(await raw.queryValue("select 'zoë'"), "zoë");
  await assert.rejects(raw.query(latin), databaseError(undefined, /value is not valid UTF-8/));
  await raw.execute("create table bytes(t text)");
  await using writer = await Database.open(`${cluster.connstr("ascii")} client_encoding=SQL_ASCII`, {
    autocommit: true,
  });
  await pipeCopy(raw, `copy (${latin}) to stdout`, writer, "copy bytes from stdin");
  assert.equal(await writer.queryValue("select convert_to(t, 'SQL_ASCII') from bytes"), "\\xe9");
});

test("odd database names", async () => {
  const name = `we'ird "na\\me" = x.y ü`;
  await using db = await Database.open(await cluster.createDatabase(name));
  assert.equal(await db.queryValue("select current_database()"), name);
});

test("a transaction that is lost with its session is not committed in silence", async () => {
  await using db = await Database.open(connstr, { applicationName: "loses_it" });
  await db.execute("create table if not exists lost_with_session (id int)");
  await db.commit();
  await db.execute("insert into lost_with_session values (1)");
  await cluster.terminateBackends({ applicationName: "loses_it" });
  await waitFor("the session to be gone", () => db.isBroken);
  await assert.rejects(db.commit(), (error) => error instanceof DatabaseError && error.retry === "reconnect");
  await db.rollback();
});
