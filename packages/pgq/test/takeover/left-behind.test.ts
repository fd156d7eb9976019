import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { waitFor } from "@skytools/testbed";
import { completedTick, waitForTick } from "../fixture/cascade-set.js";
import { takeDumpedData } from "../fixture/dumped-events.js";
import { killAfterEachStep } from "../fixture/kill-after-each-step.js";
import { RunningSet } from "../fixture/running-set.js";

describe("a branch that is ahead, and away while another one takes over", () => {
  let running: RunningSet;

  before(async () => {
    running = await RunningSet.create({
      n1: { type: "root", provider: null },
      n2: { type: "branch", provider: "n1" },
      n3: { type: "branch", provider: "n1", hasOwnServer: true },
      n4: { type: "leaf", provider: "n3" },
    });
    running.startLoad();
    await waitFor("some writes", () => running.accepted.length > 3);
    await running.assertWhole();
  });
  after(() => running[Symbol.asyncDispose]());

  it("comes back with resurrect, killed after each step, and what only it has is set aside", async () => {
    const n3 = running.member("n3");
    await running.killWorker("n2");
    await running.killWorker("n4");
    await running.writeTo("n1", "only n3 has it");
    const tick = await completedTick(running.member("n1"));
    await waitForTick(n3, tick);
    await waitFor("the tick in its queue", async () => {
      const rows = await n3.query("select from pgq.tick where tick_id >= $1", [tick]);
      return rows.length > 0;
    });
    // Its reader is in the middle of that batch.
    await n3.query("select * from pgq.next_batch_info('q', $1)", ["n4_worker"]);
    await running.stopServer("n3");
    await running.takeDown("n1");
    running.startWorker("n2");
    await running.command("n2", "takeover", "n1", "--dead-root", "--dead=n3");
    await running.writeTo("n2", "on the new root");
    await running.startServer("n3");

    const again = await running.command("n2", "takeover", "n1", "--dead-root");
    assert.match(again.stderr, /done, but not for "n3" \(it is ahead, run resurrect there\)$/m);
    const shown = await running.command("n3", "resurrect", "--dry-run");
    assert.match(
      shown.stdout,
      /^note: branch "n3" has \d+ events after tick \d+, the last that it has in common with "n2"$/m,
    );
    const merging = await n3.run(["resurrect", "--requeue"]);
    assert.equal(merging.code, 1);
    assert.match(merging.stderr, /lost events of a branch cannot be merged/);
    await killAfterEachStep(n3, ["resurrect"]);
    const lost = takeDumpedData(running.member("n2"));
    assert.deepEqual(lost, ["only n3 has it"]);
    running.forget(lost);
    assert.deepEqual((await running.tree()).n3, { type: "branch", provider: "n2" });
    await running.command("n3", "resume");
    running.startWorker("n4");
  });

  it("is told that there is nothing to do once it reads from the new root", async () => {
    const again = await running.command("n3", "resurrect");
    assert.match(again.stderr, /"n3" is a branch of "n2" already/);
  });

  it("the dead root, when it is back, has that as well", async () => {
    const n1 = await running.bringBack("n1");
    await n1.command("resurrect");
    assert.deepEqual(takeDumpedData(running.member("n2")), ["only n3 has it"]);
    running.startWorker("n1");
    await running.command("n1", "resume");
    await running.assertWhole();
  });

  it("one that is not ahead is sent to the takeover", async () => {
    await waitForTick(running.member("n1"), await completedTick(running.member("n3")));
    await running.stopServer("n3");
    await running.takeDown("n2");
    await running.command("n1", "takeover", "n2", "--dead-root", "--dead=n3");
    await running.startServer("n3");
    const refused = await running.member("n3").run(["resurrect"]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /"n3" has nothing that "n1" has not/);
    assert.match(refused.stderr, /takeover n2 --dead-root/);
    await running.command("n1", "takeover", "n2", "--dead-root");
    await running.bringBack("n2");
    await running.command("n2", "resurrect");
    running.startWorker("n2");
    await running.command("n2", "resume");
    await running.assertWhole();
  });

  it("a node that is away at a switchover with everybody comes along when that is run again", async () => {
    await running.stopServer("n3");
    const without = await running.command("n2", "takeover", "n1", "--all");
    assert.match(without.stderr, /done, but not for "n3" \(run this again when it is back\)$/m);
    await running.startServer("n3");
    assert.deepEqual((await running.tree()).n3, { type: "branch", provider: "n1" });
    await running.command("n2", "takeover", "n1", "--all");
    assert.deepEqual((await running.tree()).n3, { type: "branch", provider: "n2" });
    await running.assertWhole();
  });
});
