import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Cluster, startCluster, waitFor } from "@skytools/testbed";
import { mergedQueues } from "../fixture/merged-queues.js";
import { NodeSet, type QueueNode } from "../fixture/node-set.js";

const mergingPoints = [
  "worker.before-apply",
  "worker.after-merge",
  "worker.after-tick-id",
  "worker.before-target-commit",
  "worker.after-target-commit",
  "worker.after-source-finish",
];
const followingPoints = ["worker.before-target-commit", "worker.after-target-commit"];
const branchPoints = [
  "worker.after-queue-copy",
  "worker.before-target-commit",
  "worker.after-target-commit",
  "worker.after-tick",
];

describe("two partition queues merged into a combined queue with a standby", () => {
  let cluster: Cluster;
  let set: NodeSet;
  let roots: readonly QueueNode[];
  let merging: readonly QueueNode[];
  let following: readonly QueueNode[];
  let combined: QueueNode;
  let standby: QueueNode;
  let firstTick: bigint;

  before(async () => {
    cluster = await startCluster();
    set = await NodeSet.create(cluster);
    // What would never be due if it were not ignored.
    const settings = ["pgq_batch_collect_events = 1000000", "pgq_batch_collect_interval = 1 day"];
    ({ roots, merging, following, combined, standby } = await mergedQueues(set, settings));
    firstTick = await standby.position();
  });
  after(async () => {
    await set[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  /** Data events that a queue's root has, as they must be in the combined queue: without ids. */
  async function contentOf(node: QueueNode): Promise<string[]> {
    const events = await node.events("ev_time::text");
    return events.filter(isData).map((event) => JSON.stringify(event));
  }

  async function waitForAll(nodes: readonly QueueNode[], ticks: readonly bigint[]): Promise<void> {
    for (const [at, node] of nodes.entries()) await node.waitForTick(ticks[at]!);
  }

  async function appliedTypes(node: QueueNode, queue: string): Promise<string[]> {
    const rows = await node.query<{ ev_type: string }>(
      "select ev_type from applied where queue = $1 order by ev_id",
      [queue],
    );
    return rows.map((row) => row.ev_type);
  }

  it("has each event once in the combined queue, in order, whenever a merging worker dies", async () => {
    for (const point of mergingPoints) {
      await roots[1]!.produce(`p2 beside ${point}`);
      await roots[0]!.produce(`alone ${point}`);
      await roots[0]!.produce(`first ${point}`, `second ${point}`);
      await merging[0]!.dieAt(point, 2);
    }
    await using one = merging[0]!.startWorker();
    await using _two = merging[1]!.startWorker();
    await waitForAll(merging, [await roots[0]!.produce("last of p1"), await roots[1]!.produce("last of p2")]);

    await one.waitForOutput(/pgq_batch_collect_\* is ignored on the merge leaf "p1_one"/);
    const merged = await contentOf(combined);
    for (const root of roots) {
      const own = await contentOf(root);
      assert.deepEqual(
        merged.filter((event) => event.includes(`of ${root.queue}"`)),
        own,
      );
      assert.deepEqual(await appliedTypes(merging[0]!, root.queue), await typesOf(root));
    }
    assert.equal(merged.length, (await contentOf(roots[0]!)).length + (await contentOf(roots[1]!)).length);
    const markers = (await combined.events()).filter((event) => event.ev_type === "pgq.tick-id");
    assert.deepEqual(
      markers.filter((event) => event.ev_extra1 === "p1").map((event) => event.ev_data),
      (await roots[0]!.ticks(1n)).map((tick) => tick.tick_id),
    );
  });

  it("has the same combined queue on the standby, and its leafs where the data is, whenever a worker there dies", async () => {
    for (const point of branchPoints) {
      await combined.tick();
      await combined.tick();
      await standby.dieAt(point, 2);
    }
    const last = await combined.tick();
    await using branch = standby.startWorker();
    await standby.waitForQueueTick(last, branch);
    assert.deepEqual(await standby.events(), await combined.events());
    assert.deepEqual(await standby.ticks(firstTick), await combined.ticks(firstTick));
    assert.deepEqual(await appliedTypes(standby, "c"), (await combined.events()).filter(isData).map(typeOf));
    for (const at of [0, 1]) assert.equal(await following[at]!.position(), await merging[at]!.position());

    for (const point of followingPoints) await following[0]!.dieAt(point, 2);
    await using _one = following[0]!.startWorker();
    await using _two = following[1]!.startWorker();
    for (const at of [0, 1]) await waitForBookmark(roots[at]!, following[at]!);
    assert.deepEqual(await appliedTypes(standby, "p1"), []);
    assert.deepEqual(await appliedTypes(standby, "p2"), []);
  });

  it("leaves a partition's batch with the provider until its data has come through the combined queue", async () => {
    await using _leaf = following[0]!.startWorker();
    await using _merge = merging[0]!.startWorker();
    const before = await following[0]!.position();
    const tick = await roots[0]!.produce("not yet on the standby");
    await merging[0]!.waitForTick(tick);
    await waitFor("the open batch of the waiting leaf", async () => {
      const [row] = await roots[0]!.query<{ open: boolean }>(
        "select current_batch is not null as open from pgq.get_consumer_info('p1', 'p1_two_w')",
      );
      return row!.open;
    });
    assert.equal(await following[0]!.position(), before);
    await using branch = standby.startWorker();
    await standby.waitForTick(await combined.tick(), branch);
    assert.equal(await following[0]!.position(), tick);
    await waitForBookmark(roots[0]!, following[0]!);
  });

  it("goes on merging on a promoted standby without loss or doubling, also from far behind", async () => {
    {
      await using _merge = merging[0]!.startWorker();
      await using branch = standby.startWorker();
      let tick = 0n;
      for (const nr of [1, 2, 3]) tick = await roots[0]!.produce(`before the switch ${nr}`);
      await merging[0]!.waitForTick(tick);
      await standby.waitForQueueTick(await combined.tick(), branch);
    }
    await standby.query("select pgq_node.promote_branch('c')");
    const tick = await roots[0]!.produce("after the switch");
    await using leaf = following[0]!.startWorker();
    await following[0]!.waitForTick(tick, leaf);
    const merged = (await contentOf(standby)).filter((event) => event.includes(`of p1"`));
    assert.deepEqual(merged, await contentOf(roots[0]!));
    assert.deepEqual(await appliedTypes(standby, "p1"), ["after the switch"]);
  });

  it("does not put events behind the last tick of a combined root that is being demoted", async () => {
    await standby.query("select pgq_node.demote_root('c', 1, 'c_one')");
    // such a session passes the queue's own guard
    await standby.query("alter database standby set session_replication_role = replica");
    const before = await standby.events();
    await roots[0]!.produce("while demoted");
    await using leaf = following[0]!.startWorker();
    await leaf.waitForOutput(/combined queue "c" takes no events/);
    assert.deepEqual(await standby.events(), before);
  });

  it("names a combined queue that is gone instead of forgetting to feed it", async () => {
    await merging[1]!.query("delete from pgq_node.local_state where queue_name = 'c'");
    await merging[1]!.query("delete from pgq_node.subscriber_info where queue_name = 'c'");
    await merging[1]!.query("delete from pgq_node.node_info where queue_name = 'c'");
    const position = await merging[1]!.position();
    await roots[1]!.produce("for nobody");
    await using leaf = merging[1]!.startWorker();
    await leaf.waitForOutput(/combined queue "c" has no node/);
    assert.equal(await merging[1]!.position(), position);
  });
});

async function typesOf(node: QueueNode): Promise<unknown[]> {
  return (await node.events()).filter(isData).map(typeOf);
}

function typeOf(event: Record<string, unknown>): unknown {
  return event.ev_type;
}

function isData(event: Record<string, unknown>): boolean {
  return !String(event.ev_type).startsWith("pgq.");
}

/** Waits until the provider knows what the node has finished. */
async function waitForBookmark(provider: QueueNode, node: QueueNode): Promise<void> {
  await waitFor(`bookmark of ${node.name}`, async () => {
    const [row] = await provider.query<{ tick: string }>(
      "select last_tick::text as tick from pgq.get_consumer_info($1, $2)",
      [provider.queue, node.workerName],
    );
    return BigInt(row!.tick) === (await node.position());
  });
}
