import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Database } from "@skytools/skytools";
import { type Cluster, memoryLog, startCluster } from "@skytools/testbed";
import type { BatchInfo } from "#src/batch.js";
import { getNodeInfo } from "#src/cascade/pgq-node-api.js";
import { reportLocalWatermark } from "#src/cascade/watermark.js";
import { workerRole } from "#src/cascade/worker-role.js";
import { NodeSet, type QueueNode } from "../fixture/node-set.js";

let cluster: Cluster;
let set: NodeSet;
let root: QueueNode;
let branch: QueueNode;
let source: Database;
let target: Database;
const lines: string[] = [];

before(async () => {
  cluster = await startCluster();
  set = await NodeSet.create(cluster);
  root = await set.node("root", "root", "q", await set.database("root"));
  branch = await set.node("branch", "branch", "q", await set.database("branch"), { provider: root });
  source = await Database.open(root.database.connstr);
  target = await Database.open(branch.database.connstr);
});

after(async () => {
  await source.close();
  await target.close();
  await set[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

/** A tick of the root that the branch has completed. */
async function mirroredTick(): Promise<bigint> {
  const tick = await root.tick();
  await branch.query("select pgq.ticker('q', $1::int8, now(), $1::int8)", [tick]);
  return tick;
}

async function report(tickId: bigint): Promise<void> {
  const node = await getNodeInfo(target, "q");
  await target.commit();
  const round = { target, queueName: "q", role: workerRole(node!, true) };
  await reportLocalWatermark(source, round, { tickId } as BatchInfo, memoryLog(lines));
}

async function reported(): Promise<bigint> {
  const [row] = await root.query<{ tick: string }>(
    "select node_watermark::text as tick from pgq_node.get_subscriber_info('q')",
  );
  return BigInt(row!.tick);
}

test("a node that begins below a branch with older events than the branch has reported moves nothing and makes no noise", async () => {
  const second = await mirroredTick();
  await report(second);
  assert.equal(await reported(), second);

  const leaf = await set.node("leaf", "leaf", "q", await set.database("leaf"), { provider: branch });
  const third = await mirroredTick();
  lines.length = 0;
  await report(third);
  assert.equal(await reported(), second);
  assert.deepEqual(lines, []);

  for (const consumer of [leaf.workerName, ".leaf.watermark"]) {
    await branch.query("select pgq.register_consumer_at('q', $1, $2::int8)", [consumer, third]);
  }
  await report(third);
  assert.equal(await reported(), third);
});

test("a provider that does not know the node refuses, which is told and not raised", async () => {
  await root.query("select pgq_node.unregister_subscriber('q', 'branch')");
  const tick = await mirroredTick();
  lines.length = 0;
  await report(tick);
  assert.match(lines.join("\n"), /^warn watermark \d+ of node "branch" was refused by its provider$/m);
});
