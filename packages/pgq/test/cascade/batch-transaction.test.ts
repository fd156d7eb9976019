import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { Database } from "@skytools/skytools";
import { type Cluster, moduleDatabase, startCluster } from "@skytools/testbed";
import { applyInOneTransaction } from "#src/cascade/batch-transaction.js";
import type { CascadedApplication, CascadedBatch } from "#src/cascade/cascaded-application.js";

let cluster: Cluster;
let target: Database;
let source: Database;

before(async () => {
  cluster = await startCluster();
  const connstr = await moduleDatabase(cluster, ["pgq", "pgq_node"]);
  target = await Database.open(connstr);
  source = await Database.open(connstr);
  for (const name of ["root", "other"]) {
    await run(`select pgq_node.register_location('q', '${name}', 'dbname=x', false)`);
  }
  await run("select pgq_node.register_location('q', 'leaf', 'dbname=x', false)");
  await run("select pgq_node.create_node('q', 'leaf', 'leaf', 'worker', 'root', 1, null)");
});

beforeEach(async () => {
  await run("select pgq_node.change_consumer_provider('q', 'worker', 'root')");
  await run("select pgq_node.set_consumer_paused('q', 'worker', false)");
});

after(async () => {
  await target.close();
  await source.close();
  await cluster[Symbol.asyncDispose]();
});

async function run(sql: string): Promise<void> {
  await target.execute(sql);
  await target.commit();
}

/** A batch that was opened while the consumer read from the root. */
async function appliedEvents(): Promise<number | undefined> {
  const work = {
    target,
    source,
    queueName: "q",
    consumerName: "worker",
    state: { providerNode: "root", completedTick: 1n },
    role: { copyTo: null },
    batch: { batchId: 1n, previousTickId: 1n, tickId: 2n },
    eventQuery: async () => "select",
  } as unknown as CascadedBatch;
  const application = {
    applyBatch: async () => ({ eventCount: 3 }),
  } as unknown as CascadedApplication;
  const outcome = await applyInOneTransaction(work, application, true).catch((error: unknown) => {
    throw new Error(String(error));
  });
  return outcome?.eventCount;
}

test("a batch that an administrator overtakes is not applied: the consumer was paused", async () => {
  await run("select pgq_node.set_consumer_paused('q', 'worker', true)");
  assert.equal(await appliedEvents(), undefined);
  assert.ok(!target.inTransaction);
});

test("nor when it was sent to another provider meanwhile", async () => {
  await run("select pgq_node.change_consumer_provider('q', 'worker', 'other')");
  assert.equal(await appliedEvents(), undefined);
  assert.ok(!target.inTransaction);
});

test("otherwise it is", async () => {
  await run("select pgq_node.set_consumer_completed('q', 'worker', 2)");
  assert.equal(await appliedEvents(), 3);
});
