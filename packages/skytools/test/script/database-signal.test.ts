import assert from "node:assert/strict";
import { test } from "node:test";
import { startCluster, waitFor } from "@skytools/testbed";
import { Database } from "#src/index.js";
import { WorkerDirectory } from "../fixture/worker-directory.ts";

test("connections of a failed round are dropped; SIGTERM takes the running statement along", async () => {
  await using cluster = await startCluster();
  const connstr = cluster.connstr();
  await using worker = await WorkerDirectory.make();
  const settings = (query: string) =>
    `db = ${connstr}\nquery = ${query}\nexception_sleep = 0.01\nloop_delay = 0.01\n`;
  worker.configure(settings("select * from missing_table"));
  await using program = worker.start(["w.ini", "work"]);
  await waitFor("the error", () => worker.log().some((line) => line.startsWith("ERROR Job w got error")), {
    onTimeout: () => program.outputTail(),
  });
  const error = worker.log().find((line) => line.startsWith("ERROR"));
  assert.match(
    error ?? "",
    /^ERROR Job w got error on connection: relation "missing_table" does not exist \(.*\)\. {3}Query: select \* from missing_table$/,
  );

  worker.configure(settings("select pg_sleep(1000)"));
  program.signal("SIGHUP");
  const monitor = await Database.open(connstr);
  const sleepers = async () => {
    const sql = "select pid from pg_stat_activity where application_name = 'w' and state <> 'idle'";
    const rows = await monitor.query<{ pid: number }>(sql);
    await monitor.commit();
    return rows.length;
  };
  try {
    await waitFor("the long statement", async () => (await sleepers()) === 1);
    program.signal("SIGTERM");
    assert.deepEqual(await program.exit, { code: null, signal: "SIGTERM" });
    await waitFor("the server to give the statement up", async () => (await sleepers()) === 0);
  } finally {
    await monitor.close();
  }
});
