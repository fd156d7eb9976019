import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startCluster, waitFor } from "@skytools/testbed";
import { Database, DatabaseError, type Notice, pipeCopy } from "#src/index.js";
import { databaseFailure } from "../fixture/database-failure.ts";

const cluster = await startCluster();
after(() => cluster[Symbol.asyncDispose]());
const connstr = await cluster.createDatabase("main");

/** Resolves when the server runs the statement; `end` settles with it. */
async function startSleep(db: Database): Promise<{ readonly end: Promise<unknown> }> {
  const end = db.query("select pg_sleep(60)");
  end.catch(() => undefined);
  await waitFor("the sleep", async () => {
    const sql = "select from pg_stat_activity where pid = $1 and state = 'active' and query ~ 'pg_sleep'";
    return (await cluster.query(sql, [db.backendPid])).length === 1;
  });
  return { end };
}

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

test("closing while a statement runs ends it in the server too", async () => {
  const db = await Database.open(connstr);
  const sleeping = await startSleep(db);
  await db.close();
  await assert.rejects(sleeping.end, DatabaseError);
  const backend = "select from pg_stat_activity where pid = $1";
  await waitFor("the backend to end", async () => {
    const found = await cluster.query(backend, [db.backendPid]);
    return found.length === 0;
  });
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
  const sleeping = await startSleep(db);
  await db.cancel();
  await assert.rejects(sleeping.end, databaseFailure("57014", /canceling statement due to user request/));
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
  const sleeping = await startSleep(busy);
  await cluster.query("select pg_terminate_backend($1), pg_terminate_backend($2)", [
    busy.backendPid,
    idle.backendPid,
  ]);
  await assert.rejects(sleeping.end, (error) => {
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
  await assert.rejects(strict.query(latin), databaseFailure("22021", /invalid byte sequence/));
  await using raw = await Database.open(`${cluster.connstr("ascii")} client_encoding=SQL_ASCII`, {
    autocommit: true,
  });
  assert.equal(await raw.queryValue("select 'zoë'"), "zoë");
  await assert.rejects(raw.query(latin), databaseFailure(undefined, /value is not valid UTF-8/));
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
