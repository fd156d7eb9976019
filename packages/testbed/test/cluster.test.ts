import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { test } from "node:test";
import { moduleDatabase, startCluster, waitFor } from "@skytools/testbed";

test("a cluster is reached through a short socket path only, and disappears when disposed", async () => {
  let dir: string;
  {
    await using cluster = await startCluster();
    dir = cluster.socketDir;
    assert.ok(Buffer.byteLength(`${dir}/.s.PGSQL.${cluster.port}`) <= 100);
    const [row] = await cluster.query<{ addresses: string; fsync: string; version: string }>(
      `select current_setting('listen_addresses') as addresses, current_setting('fsync') as fsync,
              current_setting('server_version_num') as version`,
    );
    assert.deepEqual(row, { addresses: "", fsync: "off", version: String(cluster.serverVersion) });
    if (process.getuid?.() === 0) assert.notEqual(statSync(cluster.dataDirectory).uid, 0);
  }
  assert.ok(!existsSync(dir));
});

test("a killed server starts again with everything that was committed", async () => {
  await using cluster = await startCluster({ durable: true });
  await cluster.query("create table kept as select generate_series(1, 1000) as n");
  const pid = cluster.pid;
  await cluster.killHard();
  assert.equal(cluster.pid, undefined);
  await assert.rejects(cluster.query("select 1"));
  await cluster.start();
  assert.notEqual(cluster.pid, pid);
  assert.deepEqual(await cluster.query("select count(*)::int as n from kept"), [{ n: 1000 }]);
  for (const mode of ["smart", "fast", "immediate"] as const) {
    await cluster.restart(mode);
    assert.deepEqual(await cluster.query("select count(*)::int as n from kept"), [{ n: 1000 }]);
  }
});

const segments = "/proc/sysvipc/shm";

test("a server that was killed leaves no shared memory behind", {
  skip: existsSync(segments) ? false : "where it is cannot be seen",
}, async () => {
  const cluster = await startCluster();
  // As PostgreSQL's LOCK_FILE_LINE_SHMEM_KEY says.
  const keyLine = readFileSync(`${cluster.dataDirectory}/postmaster.pid`, "utf8").split("\n")[6]!;
  const segment = keyLine.trim().split(/\s+/)[1];
  const isThere = () =>
    readFileSync(segments, "latin1")
      .split("\n")
      .some((line) => line.trim().split(/\s+/)[1] === segment);
  const files = readFileSync(`/proc/${cluster.pid}/maps`, "utf8").match(/\/dev\/shm\/PostgreSQL\.\d+/g) ?? [];
  assert.ok(isThere() && files.length > 0 && files.every((path) => existsSync(path)));
  await cluster.killHard();
  await cluster[Symbol.asyncDispose]();
  assert.deepEqual(
    files.filter((path) => existsSync(path)),
    [],
  );
  // Its last processes may still have it.
  await waitFor("the segment to be gone", () => !isThere());
});

test("a server that cannot start fails with the end of its log", async () => {
  await assert.rejects(startCluster({ settings: { no_such_setting: "1" } }), /no_such_setting/);
});

test("several clusters at once, over TCP too", async () => {
  await using first = await startCluster({ tcp: true });
  await using second = await startCluster({ tcp: true });
  assert.notEqual(first.port, second.port);
  assert.match(first.tcpConnstr("my db"), /^host=127\.0\.0\.1 port=\d+ dbname='my db' user=postgres$/);
  const port = first.port;
  await first.restart("immediate");
  assert.equal(first.port, port);
});

test("databases are cloned from one template, under unique names, several at once", async () => {
  await using cluster = await startCluster();
  await cluster.query("create table marker (n int)", [], "template1");
  const connstrs = await Promise.all([1, 2, 3].map(() => moduleDatabase(cluster, [])));
  assert.equal(new Set(connstrs).size, 3);
  const named = await moduleDatabase(cluster, [], 'Quoted "name"');
  assert.match(named, /dbname='Quoted "name"'/);
  assert.deepEqual(await cluster.query("select n from marker", [], 'Quoted "name"'), []);
  await cluster.dropDatabase('Quoted "name"');
  const rows = await cluster.query("select datname from pg_database where datname like 'template\\_%'");
  assert.equal(rows.length, 1);
});

test("connections are cut by database or by application", async () => {
  await using cluster = await startCluster();
  await cluster.createDatabase("one");
  const sleeper = cluster.query("select pg_sleep(100)", [], "one");
  const outcome = assert.rejects(sleeper, /terminating connection/);
  await waitFor("the sleeper", async () => {
    const rows = await cluster.query(
      "select 1 from pg_stat_activity where datname = 'one' and wait_event = 'PgSleep'",
    );
    return rows.length === 1;
  });
  assert.equal(await cluster.terminateBackends({ applicationName: "somebody else" }), 0);
  assert.equal(await cluster.terminateBackends({ database: "one" }), 1);
  await outcome;
});

test("the log holds the statements", async () => {
  await using cluster = await startCluster();
  await cluster.query("select 'find me'");
  await waitFor("the statement in the log", () => readFileSync(cluster.logFile, "utf8").includes("find me"));
});

test("a database with modules has their functions, one without does not", async () => {
  await using cluster = await startCluster();
  await moduleDatabase(cluster, ["pgq", "pgq_node", "londiste"], "with_modules");
  await moduleDatabase(cluster, [], "without");
  const query =
    "select nspname from pg_namespace where nspname in ('pgq', 'pgq_node', 'londiste') order by 1";
  assert.deepEqual(await cluster.query(query, [], "with_modules"), [
    { nspname: "londiste" },
    { nspname: "pgq" },
    { nspname: "pgq_node" },
  ]);
  assert.deepEqual(await cluster.query(query, [], "without"), []);
  await assert.rejects(moduleDatabase(cluster, ["no_such_module"]), /no_such_module/);
});
