import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startCluster, waitFor } from "@skytools/testbed";
import { Database, DatabaseError } from "#src/index.js";

/** connect_timeout is also how long a probe waits; 2 is the least. */
const impatient = " connect_timeout=2";

const isLost = (error: unknown) => {
  assert.ok(error instanceof DatabaseError, String(error));
  assert.equal(error.retry, "reconnect");
  assert.match(error.message, /the server has not answered for .*, nor does it accept connections/);
  return true;
};

test("a frozen server ends what waits for it: a statement, both directions of COPY; close() does not wait either", async () => {
  await using cluster = await startCluster();
  const connstr = await cluster.createDatabase("frozen");
  const open = () => Database.open(connstr + impatient, { serverCheckMs: 100 });
  const [asking, reading, writing] = await Promise.all([open(), open(), open()]);
  await using admin = await Database.open(connstr, { autocommit: true });
  await admin.execute("create table rows (v text)");
  const reader = reading.copyOut("copy (select repeat('x', 1000) from generate_series(1, 100000)) to stdout");
  const writer = writing.copyIn("copy rows from stdin");
  reader.on("error", () => {});
  writer.on("error", () => {});
  await new Promise((resolve) => writer.write("a\n", resolve));
  const asked = asking.query("select pg_sleep(600)");
  await waitFor("the statement to run", async () => {
    const running = await admin.query("select from pg_stat_activity where wait_event = 'PgSleep'");
    return running.length > 0;
  });
  const postmaster = Number(
    readFileSync(join(cluster.dataDirectory, "postmaster.pid"), "utf8").split("\n")[0],
  );
  const pids = [postmaster, ...[asking, reading, writing].map((db) => db.backendPid)];
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  try {
    const read = (async () => {
      for await (const _chunk of reader);
    })();
    await Promise.all([
      assert.rejects(asked, isLost),
      assert.rejects(read, isLost),
      assert.rejects(writer.done, isLost),
    ]);
    await Promise.all([asking.close(), reading.close(), writing.close()]);
  } finally {
    for (const pid of pids) process.kill(pid, "SIGCONT");
  }
});

test("a statement that only takes long is left alone while the server accepts connections", async () => {
  await using cluster = await startCluster();
  const connstr = await cluster.createDatabase("slow");
  await using admin = await Database.open(connstr, { autocommit: true });
  await admin.execute("select pg_advisory_lock(1)");
  await using waiting = await Database.open(connstr, { serverCheckMs: 20 });
  const probes = async () =>
    (
      await admin.queryOne<{ count: bigint }>(
        "select sessions as count from pg_stat_database where datname = 'slow'",
      )
    ).count;
  const asked = waiting.query<{ done: boolean }>("select pg_advisory_lock(1) is not null as done");
  const before = await probes();
  await waitFor("some probes", async () => (await probes()) > before + 4n);
  await admin.execute("select pg_advisory_unlock(1)");
  assert.deepEqual(await asked, [{ done: true }]);
});
