import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Cluster, type RunningProgram, startCluster, waitFor } from "@skytools/testbed";
import { someReaderKeepsUp } from "../fixture/keep-up.js";
import { killAfterEachStep } from "../fixture/kill-after-each-step.js";
import { mergedQueues } from "../fixture/merged-queues.js";
import { NodeSet, type QueueNode } from "../fixture/node-set.js";

describe("takeover of a combined root while its partitions are written", () => {
  let cluster: Cluster;
  let set: NodeSet;
  let roots: readonly QueueNode[];
  let merging: readonly QueueNode[];
  let following: readonly QueueNode[];
  let combined: [QueueNode, QueueNode];
  const workers: RunningProgram[] = [];
  let isLoadWanted = true;
  let load: Promise<void>;

  before(async () => {
    cluster = await startCluster();
    set = await NodeSet.create(cluster);
    const queues = await mergedQueues(set);
    ({ roots, merging, following } = queues);
    combined = [queues.combined, queues.standby];
    for (const node of [...combined, ...merging, ...following]) workers.push(node.startWorker());
    load = write();
  });
  after(async () => {
    isLoadWanted = false;
    await load;
    for (const worker of workers) await worker[Symbol.asyncDispose]();
    await set[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  async function write(): Promise<void> {
    for (let serial = 0; isLoadWanted; serial += 1) {
      const root = roots[serial % 2]!;
      await root.produce(`event ${serial}`);
      await tickCombined();
      await waitFor("a reader to keep up", () => !isLoadWanted || someReaderKeepsUp(root, root.queue));
    }
  }

  /** Whichever is the root ticks; the other has an external ticker and refuses. */
  async function tickCombined(): Promise<void> {
    for (const node of combined) await node.tick().catch(() => undefined);
  }

  async function isRoot(node: QueueNode): Promise<boolean> {
    const [row] = await node.query<{ type: string }>(
      "select node_type as type from pgq_node.get_node_info('c')",
    );
    return row!.type === "root";
  }

  async function content(node: QueueNode): Promise<string[]> {
    const events = await node.events("ev_time::text");
    return events
      .filter(({ ev_type }) => String(ev_type).startsWith("event "))
      .map((event) => JSON.stringify(event));
  }

  const runner = (node: QueueNode) => ({
    run: (args: readonly string[], env: Record<string, string> = {}) => node.runWith(env, args),
  });

  it("loses and doubles nothing, there killed after each step, and back", async () => {
    const [one, two] = combined;
    const killed = await killAfterEachStep(runner(two), ["takeover", "c_one"]);
    assert.deepEqual(killed.slice(0, 2), ["pause@p1_one", "pause@p2_one"]);
    assert.ok(await isRoot(two));
    const back = await one.run("takeover", "c_two");
    assert.equal(back.code, 0, back.stderr);
    assert.ok(await isRoot(one));
    isLoadWanted = false;
    await load;

    const expected = [...(await content(roots[0]!)), ...(await content(roots[1]!))].toSorted();
    for (const node of combined) {
      await waitFor(
        `all events on ${node.name}`,
        async () => {
          await tickCombined();
          return (await content(node)).length >= expected.length;
        },
        { intervalMs: 200, onTimeout: () => workers.map((worker) => worker.outputTail()).join("\n") },
      );
      assert.deepEqual((await content(node)).toSorted(), expected, node.name);
    }
    const ids = (await one.events("ev_id::text")).map(({ ev_id }) => ev_id);
    assert.equal(new Set(ids).size, ids.length);
    const [here, there] = [await one.events(), await two.events()];
    assert.deepEqual(there.slice(0, here.length), here.slice(0, there.length));
    for (const node of [...merging, ...following]) {
      const rows = await node.query("select from pgq_node.local_state where paused");
      assert.deepEqual(rows, []);
    }
  });

  it("is refused when the new node does not merge the same queues", async () => {
    const lonely = await set.database("lonely");
    const [one] = combined;
    const node = await set.node("branch", "c_three", "c", lonely, { provider: one });
    const { code, stderr } = await node.run("takeover", "c_one");
    assert.equal(code, 1);
    assert.match(stderr, /Inconsistent targets: old-node=p1,p2 new-node=/);
  });
});
