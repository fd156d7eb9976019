import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Database } from "@skytools/skytools";
import { type Cluster, startCluster, waitFor } from "@skytools/testbed";
import { lettingOthersThrough } from "#src/table/letting-others-through.js";

let cluster: Cluster;
let connstr: string;

before(async () => {
  cluster = await startCluster();
  connstr = await cluster.createDatabase("locks");
  await cluster.query("create table a (id int); create table b (id int)", [], "locks");
});

after(async () => {
  await cluster[Symbol.asyncDispose]();
});

test("a command lets a program go on that has one of its tables and wants another one", async () => {
  await using program = await Database.open(connstr);
  await using command = await Database.open(connstr);
  await using observer = await Database.open(connstr, { autocommit: true });
  await program.execute("set local deadlock_timeout = '1h'; lock table a in row exclusive mode");
  let attempts = 0;
  const done = lettingOthersThrough(command, Number.POSITIVE_INFINITY, async () => {
    attempts += 1;
    await command.execute("lock table b in access exclusive mode");
    await command.execute("lock table a in access exclusive mode");
    await command.commit();
    return "done";
  });
  await waitFor("the command to wait for the program", async () => {
    const sql = "select exists (select from pg_locks where pid = $1 and not granted) as waits";
    return (await observer.queryOne<{ waits: boolean }>(sql, [command.backendPid])).waits;
  });
  await program.execute("lock table b in row exclusive mode");
  await program.commit();
  assert.equal(await done, "done");
  assert.ok(attempts > 1);
  assert.equal(await command.queryValue("select current_setting('lock_timeout')"), "0");
});

test("a command gives up after its time, and other errors are errors", async () => {
  await using program = await Database.open(connstr);
  await using command = await Database.open(connstr);
  await program.execute("lock table a in row exclusive mode");
  await assert.rejects(
    lettingOthersThrough(command, 300, () => command.execute("lock table a in access exclusive mode")),
    { sqlState: "55P03" },
  );
  await command.rollback();
  await assert.rejects(
    lettingOthersThrough(command, 300, () => command.execute("lock table c in access exclusive mode")),
    { sqlState: "42P01" },
  );
});
