import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { moduleSql } from "@skytools/sql";
import { type Cluster, startCluster, waitFor } from "@skytools/testbed";
import { mergedQueues } from "../fixture/merged-queues.js";
import { NodeDatabase, NodeSet, QueueNode } from "../fixture/node-set.js";

describe("a provider that was restored from an older state, and gives tick ids a second time", () => {
  let cluster: Cluster;
  let set: NodeSet;

  before(async () => {
    cluster = await startCluster();
    set = await NodeSet.create(cluster);
  });
  after(async () => {
    await set[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  /** The root as it was at the time of the call, to which its readers are sent. */
  async function olderState(
    root: QueueNode,
    readers: readonly QueueNode[],
  ): Promise<() => Promise<QueueNode>> {
    const name = `${root.database.name}_older`;
    const connstr = await cluster.createDatabase(name, root.database.name);
    return async () => {
      for (const reader of readers) {
        const parameters = [root.queue, root.name, connstr];
        await reader.query("select pgq_node.register_location($1, $2, $3, false)", parameters);
      }
      return new QueueNode(root.name, root.queue, new NodeDatabase(cluster, name, connstr), root.configFile);
    };
  }

  async function follow(node: QueueNode, tick: bigint): Promise<void> {
    await using worker = node.startWorker();
    await node.waitForTick(tick, worker);
    await waitForBookmark(node);
  }

  /** The worker has told the provider before it ends. */
  async function waitForBookmark(node: QueueNode): Promise<void> {
    const [row] = await node.query<{ location: string }>(
      "select provider_location as location from pgq_node.get_node_info($1)",
      [node.queue],
    );
    const provider = /dbname=(\S+)/.exec(row!.location)![1]!;
    await waitFor(
      `bookmark of ${node.name}`,
      async () => (await bookmark(node, provider)) === (await node.position()),
    );
  }

  async function bookmark(node: QueueNode, provider: string): Promise<bigint> {
    const [row] = await cluster.query<{ tick: string }>(
      "select last_tick::text as tick from pgq.get_consumer_info($1, $2)",
      [node.queue, node.workerName],
      provider,
    );
    return BigInt(row!.tick);
  }

  /** A root and one node below it, which is one batch ahead of what the root is restored to. */
  async function oneBatchAhead(type: "branch" | "leaf", name: string) {
    const root = await set.node("root", `${name}_root`, name, await set.database(`${name}_root`));
    const node = await set.node(type, name, name, await set.database(name), { provider: root });
    await follow(node, await root.produce("before"));
    const restore = await olderState(root, [node]);
    const last = await root.produce("lost with the newer state");
    await follow(node, last);
    return { node, last, root: await restore() };
  }

  async function appliedTypes(node: QueueNode): Promise<string[]> {
    const rows = await node.query<{ ev_type: string }>(
      "select ev_type from applied where queue = $1 order by ev_id",
      [node.queue],
    );
    return rows.map((row) => row.ev_type);
  }

  for (const type of ["branch", "leaf"] as const) {
    it(`a ${type} does not take the batch for the one that it has`, async () => {
      const { node, last, root } = await oneBatchAhead(type, `${type}_applied`);
      assert.equal(await root.produce("another event"), last);
      await using worker = node.startWorker();
      await worker.waitForOutput(new RegExp(`Lost position: tick ${last} of the provider is of`));
      assert.ok((await bookmark(node, root.database.name)) < last, "the provider still has the batch");
    });

    it(`a ${type} does not go on behind it when its place there is moved to that id`, async () => {
      const { node, last, root } = await oneBatchAhead(type, `${type}_due`);
      assert.equal(await root.produce("another event"), last);
      await root.produce("and one more");
      assert.equal((await node.run("worker", "--rewind")).code, 0);
      await using worker = node.startWorker();
      await worker.waitForOutput(new RegExp(`Lost position: tick ${last} of the provider is of`));
      assert.equal(await bookmark(node, root.database.name), last);
      assert.deepEqual(await appliedTypes(node), ["before", "lost with the newer state"]);
    });
  }

  it("a branch whose worker died before the tick does not get the other one of that id", async () => {
    const root = await set.node("root", "tick_root", "tick", await set.database("tick_root"));
    const branch = await set.node("branch", "tick", "tick", await set.database("tick"), { provider: root });
    await follow(branch, await root.produce("before"));
    const restore = await olderState(root, [branch]);
    const last = await root.produce("lost with the newer state");
    await branch.dieAt("worker.after-target-commit");
    const restored = await restore();
    assert.equal(await restored.produce("another event"), last);
    await restored.produce("and one more");
    assert.equal((await branch.run("worker", "--rewind")).code, 0);
    await using worker = branch.startWorker();
    await worker.waitForOutput(new RegExp(`Lost position: tick ${last} of the provider is of`));
    assert.deepEqual(await branch.ticks(last - 1n), []);
  });

  it("a leaf whose schema is of Skytools 3 works as before, and is told apart once the schema is upgraded", async () => {
    const root = await set.node("root", "old_root", "old", await set.database("old_root"));
    const leaf = await set.node("leaf", "old", "old", await set.database("old"), { provider: root });
    await leaf.query(`
      drop function pgq_node.get_completed_tick(text, text);
      drop function pgq_node.set_consumer_completed_at(text, text, int8, timestamptz);
      alter table pgq_node.local_state drop column known_tick_id, drop column known_tick_time;
      create or replace function pgq_node.set_consumer_completed(
          i_queue_name text, i_consumer_name text, i_tick_id bigint, out ret_code int4, out ret_note text) as $$
        update pgq_node.local_state set last_tick_id = i_tick_id
          where queue_name = i_queue_name and consumer_name = i_consumer_name;
        select 100, '';
      $$ language sql`);
    await follow(leaf, await root.produce("under the old schema"));
    await leaf.query(await moduleSql("pgq_node"));
    await follow(leaf, await root.produce("under the new schema"));
    const [stored] = await leaf.query(
      "select tick_id::text, tick_time::text from pgq_node.get_completed_tick('old', 'old_w')",
    );
    const [last] = (await root.ticks(1n)).slice(-1);
    assert.deepEqual(stored, { tick_id: last!.tick_id, tick_time: last!.tick_time });
    assert.deepEqual(await appliedTypes(leaf), ["under the old schema", "under the new schema"]);
  });

  it("a worker that stores no times may take turns with one that does", async () => {
    const root = await set.node("root", "turns_root", "turns", await set.database("turns_root"));
    const leaf = await set.node("leaf", "turns", "turns", await set.database("turns"), { provider: root });
    await follow(leaf, await root.produce("with time"));
    const other = await root.produce("by the other worker");
    await leaf.query("select pgq_node.set_consumer_completed('turns', 'turns_w', $1)", [other]);
    await root.query("select pgq.register_consumer_at('turns', 'turns_w', $1)", [other]);
    const [stored] = await leaf.query(
      "select tick_time from pgq_node.get_completed_tick('turns', 'turns_w')",
    );
    assert.deepEqual(stored, { tick_time: null });
    await follow(leaf, await root.produce("with time again"));
    assert.deepEqual(await appliedTypes(leaf), ["with time", "with time again"]);
  });

  it("a merge leaf does not pass over batches whose ids lie before its position", async () => {
    const { roots, merging } = await mergedQueues(set);
    const [root, leaf] = [roots[0]!, merging[0]!];
    await follow(leaf, await root.produce("before"));
    const restore = await olderState(root, [leaf]);
    for (const nr of [1, 2, 3]) await follow(leaf, await root.produce(`lost ${nr}`));
    const finished = await leaf.position();
    const restored = await restore();
    const place = await bookmark(leaf, restored.database.name);
    await restored.produce("another event");
    await using worker = leaf.startWorker();
    await worker.waitForOutput(new RegExp(`Lost position: root on .* has no tick ${finished}`));
    let tick = 0n;
    while (tick < finished) tick = await restored.produce("up to the same id");
    await worker.waitForOutput(new RegExp(`Lost position: tick ${finished} of the provider is of`));
    assert.equal(await bookmark(leaf, restored.database.name), place);
  });
});
