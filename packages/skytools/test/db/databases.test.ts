import assert from "node:assert/strict";
import { after, test } from "node:test";
import { memoryLog, startCluster, waitFor } from "@skytools/testbed";
import { ConfigError, Databases, type DatabasesOptions } from "#src/index.js";

const cluster = await startCluster();
after(() => cluster[Symbol.asyncDispose]());
const first = await cluster.createDatabase("first");
const second = await cluster.createDatabase("second");

function setUp(settings: Record<string, string>, more: Partial<DatabasesOptions> = {}) {
  const log = memoryLog();
  const databases = new Databases({ setting: (key) => settings[key], log, ...more });
  return { databases, settings, lines: log.lines, [Symbol.asyncDispose]: () => databases.closeAll() };
}

test("one session for each key, opened when asked for and kept", async () => {
  await using job = setUp({ db: first }, { applicationName: "mover" });
  const db = await job.databases.get("db");
  assert.equal(await job.databases.get("db"), db);
  const [again, same] = await Promise.all([
    job.databases.get("other", { connstr: first }),
    job.databases.get("other", { connstr: first }),
  ]);
  assert.equal(again, same);
  assert.notEqual(again.backendPid, db.backendPid);
  assert.equal(await db.queryValue("select current_setting('application_name')"), "mover");
  assert.ok(job.lines.some((line) => line.startsWith(`debug connect to "db": host=`)));
});

test("isolation: asked for, by default, and the conflict with an open session", async () => {
  await using job = setUp({ db: first, auto: first, lazy: first });
  job.databases.setDefaults("auto", { autocommit: true });
  job.databases.setDefaults("lazy", { isolation: "serializable" });
  assert.equal((await job.databases.get("auto")).autocommit, true);
  const level = "select current_setting('transaction_isolation')";
  assert.equal(await (await job.databases.get("lazy")).queryValue(level), "serializable");
  const db = await job.databases.get("db", { isolation: "repeatable read" });
  assert.equal(await db.queryValue(level), "repeatable read");
  await assert.rejects(job.databases.get("db"), (error: Error & { code?: string }) => {
    assert.equal(error.code, "ISOLATION_CONFLICT");
    assert.match(error.message, /conflict in isolation_level: database "db" is open as repeatable read/);
    return true;
  });
  await assert.rejects(job.databases.get("auto", { autocommit: false }), { code: "ISOLATION_CONFLICT" });
});

test("a branch has sessions of its own, which end with it or with the trunk, and it connects no more afterwards", async () => {
  await using job = setUp({ db: first });
  const branches = [job.databases.branch(), job.databases.branch()] as const;
  const trunk = await job.databases.get("db");
  const [one, two] = await Promise.all([branches[0].get("db"), branches[1].get("db")]);
  assert.equal(new Set([trunk.backendPid, one.backendPid, two.backendPid]).size, 3);
  await Promise.all([assert.rejects(one.query("select pg_sleep(60)")), branches[0].end()]);
  await assert.rejects(branches[0].get("db"), { code: "CONNECTIONS_ENDED" });
  assert.equal(trunk.isBroken || two.isBroken, false);
  await job.databases.closeAll();
  assert.equal(two.isBroken, true);
});

test("a changed connect string is adopted, once", async () => {
  await using job = setUp({ db: first });
  const before = await job.databases.get("db");
  assert.equal(await before.queryValue("select current_database()"), "first");
  job.settings.db = second;
  const afterwards = await job.databases.get("db");
  assert.equal(await afterwards.queryValue("select current_database()"), "second");
  assert.equal(before.isBroken, true);
  assert.equal(await job.databases.get("db"), afterwards);
});

test("a profile adds its keys, to URIs too", async () => {
  const uri = `postgresql://postgres@/first?host=${encodeURIComponent(cluster.socketDir)}&port=${cluster.port}`;
  await using job = setUp({ db: uri, remote_extra_connstr: "options='-c work_mem=777kB'" });
  const db = await job.databases.get("db", { profile: "remote" });
  assert.equal(await db.queryValue("select current_setting('work_mem')"), "777kB");
  assert.notEqual(await job.databases.get("plain", { connstr: uri, profile: "none" }), db);
  job.settings.remote_extra_connstr = "optons=x";
  await assert.rejects(job.databases.get("db", { profile: "remote" }), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /^db with remote_extra_connstr: invalid connection option "optons"/);
    return true;
  });
});

test("missing and malformed connect strings name their key", async () => {
  await using job = setUp({ bad: "dbnam=x" });
  await assert.rejects(
    job.databases.get("db"),
    (error) => error instanceof ConfigError && error.key === "db",
  );
  await assert.rejects(job.databases.get("bad"), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /^bad: invalid connection option "dbnam"/);
    assert.match(error.hint ?? "", /dbname/);
    return true;
  });
});

test("sessions older than connection_lifetime end between rounds, younger ones stay, 0 is never", async () => {
  let now = 0;
  await using job = setUp({ a: first, b: first, c: first, connection_lifetime: "100" }, { now: () => now });
  job.databases.setDefaults("c", { maxAgeSeconds: 0 });
  const [a, c] = [await job.databases.get("a"), await job.databases.get("c")];
  now = 60_000;
  const b = await job.databases.get("b");
  await job.databases.expire();
  assert.equal(a.isBroken, false);
  now = 100_000;
  await job.databases.expire();
  assert.deepEqual([a.isBroken, b.isBroken, c.isBroken], [true, false, false]);
  assert.equal((await job.databases.get("a")).isBroken, false);
});

test("a statement that runs beside the rounds keeps its session however old it is, and no longer", async () => {
  let now = 0;
  await using job = setUp({ db: first, other: first, connection_lifetime: "100" }, { now: () => now });
  job.databases.setDefaults("other", { maxAgeSeconds: 0 });
  const [db, other] = [await job.databases.get("db"), await job.databases.get("other")];
  await other.execute("select pg_advisory_lock(7)");
  now = 200_000;
  const running = db.query("select pg_advisory_lock_shared(7)");
  await job.databases.expire();
  assert.equal(db.isBroken, false);
  await other.execute("select pg_advisory_unlock(7)");
  await running;
  await job.databases.expire();
  assert.equal(db.isBroken, true);
});

test("what a failure leaves open on the sessions is rolled back", async () => {
  await using job = setUp({ a: first, b: first, c: first });
  const [a, b, c] = await Promise.all(["a", "b", "c"].map((key) => job.databases.get(key)));
  await a!.execute("create table left_open ()");
  await assert.rejects(b!.execute("select 1 / 0"));
  await cluster.query("select pg_terminate_backend($1)", [c!.backendPid]);
  await waitFor("the loss to be noticed", () => c!.isBroken);
  await job.databases.rollbackAll();
  assert.equal(await a!.queryValue("select to_regclass('left_open')"), null);
  assert.equal(await b!.queryValue("select 1"), 1);
});

test("a session that broke is replaced at the next get", async () => {
  await using job = setUp({ db: first });
  const db = await job.databases.get("db");
  await cluster.query("select pg_terminate_backend($1)", [db.backendPid]);
  await waitFor("the loss to be noticed", () => db.isBroken);
  assert.equal(await (await job.databases.get("db")).queryValue("select 1"), 1);
});

test("a failed connect is not remembered", async () => {
  await using job = setUp({ db: `${first} target_session_attrs=standby` });
  await assert.rejects(job.databases.get("db"), /hot standby/);
  job.settings.db = first;
  assert.equal(await (await job.databases.get("db")).queryValue("select 1"), 1);
});

test("hooks run after each connect; one that throws ends the connection", async () => {
  const hooked: string[] = [];
  await using job = setUp(
    { db: first },
    {
      onConnect: async (key, db) => {
        hooked.push(key);
        await db.execute("set work_mem = '999kB'");
        await db.commit();
      },
    },
  );
  const db = await job.databases.get("db");
  await job.databases.get("db");
  assert.deepEqual(hooked, ["db"]);
  assert.equal(await db.queryValue("select current_setting('work_mem')"), "999kB");
  await assert.rejects(
    job.databases.get("other", { connstr: first, onConnect: () => Promise.reject(new Error("wrong place")) }),
    /wrong place/,
  );
  await waitFor("the rejected session to end", async () => {
    const [row] = await cluster.query(
      "select count(*)::int as n from pg_stat_activity where datname = 'first' and pid <> $1",
      [db.backendPid],
    );
    return row?.n === 0;
  });
});

test("close and closeAll end sessions, open transactions are rolled back", async () => {
  await using job = setUp({ a: first, b: first });
  const a = await job.databases.get("a");
  await a.execute("create table gone(id int)");
  await job.databases.close("a");
  assert.equal(a.isBroken, true);
  const b = await job.databases.get("b");
  assert.equal(await b.queryValue("select to_regclass('gone')"), null);
  await job.databases.closeAll();
  assert.equal(b.isBroken, true);
});

test("listen takes effect at the next get and survives a new session; unlisten ends it", async () => {
  const heard: string[] = [];
  await using job = setUp(
    { db: first },
    { onNotification: (key, channel) => heard.push(`${key} ${channel}`) },
  );
  const notify = () => cluster.query(`notify "Odd Channel"`, [], "first");
  job.databases.listen("db", "Odd Channel");
  await job.databases.get("db");
  await notify();
  await waitFor("a notification", () => heard.length === 1);
  await job.databases.close("db");
  await job.databases.get("db");
  await notify();
  await waitFor("a notification in the new session", () => heard.length === 2);
  job.databases.unlisten("db");
  const db = await job.databases.get("db");
  assert.equal(await db.queryValue("select count(*) from pg_listening_channels()"), 0n);
  assert.deepEqual(heard, ["db Odd Channel", "db Odd Channel"]);
});

test("notices go to the log under the key", async () => {
  await using job = setUp({ db: first });
  const db = await job.databases.get("db");
  await db.execute("do $$ begin raise notice 'hello'; end $$");
  assert.ok(job.lines.includes("debug db: NOTICE: hello"));
});
