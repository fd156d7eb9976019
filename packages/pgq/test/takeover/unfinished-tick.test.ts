import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Cluster, startCluster } from "@skytools/testbed";
import { NodeSet } from "../fixture/node-set.js";

describe("takeover of a dead root by a branch whose worker died between a batch and its tick", () => {
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

  it("makes the tick as others know it, and a leaf that has finished it follows", async () => {
    const root = await set.node("root", "oslo", "q", await set.database("oslo"));
    const branch = await set.node("branch", "riga", "q", await set.database("riga"), { provider: root });
    const leaf = await set.node("leaf", "tartu", "q", await set.database("tartu"), { provider: root });
    const last = await root.produce("last of oslo");
    const [tick] = await root.ticks(last - 1n);
    await branch.dieAt("worker.after-target-commit");
    assert.deepEqual(await branch.ticks(last - 1n), []);
    await using follower = leaf.startWorker();
    await leaf.waitForTick(last, follower);
    await cluster.query("alter database oslo allow_connections false");
    await cluster.terminateBackends({ database: "oslo" });
    await using _worker = branch.startWorker();

    const { code, stderr } = await branch.run("takeover", "oslo", "--dead-root");
    assert.equal(code, 0, stderr);
    const [made] = await branch.ticks(last - 1n);
    assert.deepEqual([made!.tick_id, made!.tick_time], [tick!.tick_id, tick!.tick_time]);
    await leaf.waitForTick(await branch.produce("first of riga"), follower);
    const applied = await leaf.query<{ ev_type: string }>("select ev_type from applied order by ev_id");
    assert.deepEqual(
      applied.map((row) => row.ev_type),
      ["last of oslo", "first of riga"],
    );
  });
});
