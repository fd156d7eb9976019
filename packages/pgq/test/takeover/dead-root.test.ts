import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { waitFor } from "@skytools/testbed";
import { completedTick, waitForTick } from "../fixture/cascade-set.js";
import { dumpedData, dumpFileOf } from "../fixture/dumped-events.js";
import { killAfterEachStep } from "../fixture/kill-after-each-step.js";
import { RunningSet } from "../fixture/running-set.js";

describe("failover of a dead root, and its resurrection", () => {
  let running: RunningSet;
  let dumpFile: string;

  before(async () => {
    running = await RunningSet.create({
      n1: { type: "root", provider: null },
      n2: { type: "branch", provider: "n1" },
      n3: { type: "branch", provider: "n1", hasOwnServer: true },
      n4: { type: "leaf", provider: "n2" },
      n5: { type: "leaf", provider: "n1" },
    });
    dumpFile = dumpFileOf(running.member("n1"));
    running.startLoad();
  });
  after(() => running[Symbol.asyncDispose]());

  it("is refused while the root answers, and for a node that nobody knows", async () => {
    const alive = await running.member("n2").run(["takeover", "n1", "--dead-root"]);
    assert.equal(alive.code, 1);
    assert.match(alive.stderr, /root "n1" is not dead, it answers/);
    const unknown = await running.member("n2").run(["takeover", "n9", "--dead-root"]);
    assert.match(unknown.stderr, /Unknown node: n9/);
    assert.deepEqual(await running.unsettled(), []);
  });

  /** Another queue in the database of the root, with ticks of the same ids, and a consumer of both. */
  async function addNeighbour(): Promise<void> {
    const n1 = running.member("n1");
    await n1.query("select pgq.create_queue('neighbour')");
    await n1.query("select pgq.register_consumer(queue_name, 'leftover') from pgq.queue");
    const top = await completedTick(n1);
    await n1.query(
      "select setval(queue_tick_seq, $1::int8 - 2) from pgq.queue where queue_name = 'neighbour'",
      [top],
    );
    for (const nr of [1, 2, 3]) {
      await n1.query("select pgq.insert_event('neighbour', 'kept', $1)", [String(nr)]);
      await n1.query("select pgq.force_tick('neighbour'), pgq.ticker('neighbour')");
    }
  }

  it("T1: a node that lags takes over, killed after each step, and first gets what another one has more", async () => {
    await running.assertWhole();
    await running.killWorker("n2");
    await running.killWorker("n5");
    await running.writeTo("n1", "only n3 has it");
    const ahead = await completedTick(running.member("n1"));
    await waitForTick(running.member("n3"), ahead);
    await running.killWorker("n3");
    await running.writeTo("n1", "lost in a batch");
    await running.member("n1").query("select pgq.insert_event('q', 'data', 'lost in the partial batch')");
    running.accepted.push("lost in the partial batch");
    await addNeighbour();
    const n4 = running.member("n4");
    await n4.query("select pgq_node.register_consumer('q', 'plain', 'n1', $1)", [ahead]);
    await running.takeDown("n1");
    for (const name of ["n2", "n3", "n5"]) running.startWorker(name);

    await killAfterEachStep(running.member("n2"), ["takeover", "n1", "--dead-root", "--timeout=60"]);
    assert.deepEqual(await running.tree(), {
      n2: { type: "root", provider: null },
      n3: { type: "branch", provider: "n2" },
      n4: { type: "leaf", provider: "n2" },
      n5: { type: "leaf", provider: "n2" },
    });
    const [plain] = await n4.query(
      "select provider_node, completed_tick::text from pgq_node.get_consumer_state('q', 'plain')",
    );
    assert.deepEqual(plain, { provider_node: "n2", completed_tick: ahead });
    const place = await running
      .member("n2")
      .query("select last_tick::text from pgq.get_consumer_info('q', 'plain')");
    assert.deepEqual(place, [{ last_tick: ahead }]);
    await n4.query("select pgq_node.unregister_consumer('q', 'plain')");
    await running.member("n2").query("select pgq.unregister_consumer('q', 'plain')");
    running.startLoad();
    await waitFor("writes to arrive at the new root", () =>
      running.accepted.length > 5 ? running.accepted : undefined,
    );
    await running.stopLoad();
    assert.match((await running.command("n3", "status")).stdout, /^n1 \(dead\)$/m);
  });

  it("resurrect sets aside exactly the lost events, killed after each step", async () => {
    running.startLoad();
    const n1 = await running.bringBack("n1");
    const shown = await running.command("n1", "resurrect", "--dry-run");
    assert.match(shown.stdout, /^note: "n1" has \d+ events after tick \d+, 1 of them in no batch yet$/m);
    const renamed = await n1.run(["rename-node", "n1", "n9"]);
    assert.equal(renamed.code, 1);
    assert.match(renamed.stderr, /"n2" has a gravestone of "n1", by which resurrect finds its place/);
    await killAfterEachStep(n1, ["resurrect"]);
    const left = await n1.query(
      "select queue_name from pgq.get_consumer_info() where consumer_name = 'leftover'",
    );
    assert.deepEqual(left, [{ queue_name: "neighbour" }]);
    assert.equal((await n1.query("select from pgq.event_2")).length, 3, "events of another queue stay");
    assert.deepEqual(dumpedData(running.member("n1")), ["lost in a batch", "lost in the partial batch"]);
    running.forget(dumpedData(running.member("n1")));
    assert.deepEqual((await running.tree()).n1, { type: "branch", provider: "n2" });
    running.startWorker("n1");
    await running.command("n1", "resume");
    await running.assertWhole();
    assert.doesNotMatch((await running.command("n4", "members")).stdout, /True/);
  });

  it("resurrect says that there is nothing to do when it is run again", async () => {
    const again = await running.command("n1", "resurrect");
    assert.match(again.stderr, /"n1" is a branch of "n2" already/);
    const root = await running.member("n2").run(["resurrect"]);
    assert.equal(root.code, 1);
    assert.match(root.stderr, /Dump file exists, cannot perform resurrection/);
    rmSync(dumpFile);
    const refused = await running.member("n2").run(["resurrect"]);
    assert.match(refused.stderr, /Cannot find new root node/);
    const leaf = await running.command("n4", "resurrect");
    assert.match(leaf.stderr, /Current node is leaf, nothing to do/);
  });

  it("a root restored from an older state, with writes since, loses nothing of either side", async () => {
    await running.assertWhole();
    const n2 = running.member("n2");
    await n2.query("select pgq.insert_event('q', 'data', 'in the partial batch of both')");
    running.accepted.push("in the partial batch of both");
    await running.killWorker("n2");
    await n2.cluster.query("alter database n2 allow_connections false");
    await n2.cluster.terminateBackends({ database: "n2" });
    await n2.cluster.createDatabase("older", "n2");
    await n2.cluster.query("alter database n2 allow_connections true");
    await running.writeTo("n2", "after the standby stopped");
    await waitForTick(running.member("n3"), await completedTick(n2));
    running.startWorker("n2");
    await running.takeDown("n2");
    await n2.cluster.query("drop database n2");
    await n2.cluster.query("alter database older rename to n2");
    await n2.cluster.query("alter database n2 allow_connections false");

    await running.command("n3", "takeover", "n2", "--dead-root");
    await running.writeTo("n3", "on the new root");
    await running.bringBack("n2");
    await running.writeTo("n2", "on the promoted standby");
    const { stderr } = await running.command("n2", "resurrect", "--requeue");
    assert.match(stderr, /the database of "n2" is older than the takeover/);
    assert.deepEqual(dumpedData(running.member("n1")), ["on the promoted standby"]);
    running.startWorker("n2");
    await running.command("n2", "resume");
    await running.assertWhole();
  });

  it("says so when nothing was lost, and writes no file", async () => {
    rmSync(dumpFile);
    await running.takeDown("n3");
    await running.command("n1", "takeover", "n3", "--dead-root");
    await running.bringBack("n3");
    const { stderr } = await running.command("n3", "resurrect");
    assert.match(stderr, /No batches found/);
    assert.ok(!existsSync(dumpFile));
    running.startWorker("n3");
    await running.command("n3", "resume");
    await running.assertWhole();
  });

  it("leaves out a node whose server is down and says so at last; run again when it is back, it brings that node too", async () => {
    const n2 = running.member("n2");
    const failover = ["takeover", "n1", "--dead-root", "--json"];
    await running.takeDown("n1");
    const killed = await n2.run(failover, { SKYTOOLS_CRASH_POINT: "plan.after-ask-pause@n3=kill" });
    assert.equal(killed.code, 137, killed.stderr);
    await running.stopServer("n3");
    const refused = await n2.run(failover);
    assert.equal(refused.code, 1, "n3 could have taken over");
    assert.match(
      refused.stderr,
      /"n3" does not answer and may be the root by now: .*\n.*say so with --dead=n3\. /,
    );
    const without = await n2.command(...failover, "--dead=n3");
    assert.match(
      without.stderr,
      /WARNING node "n3" is treated as dead and is left out, run this again when it is back$/m,
    );
    const last = without.stderr.trimEnd().split("\n").at(-1)!;
    assert.match(
      last,
      /WARNING takeover of n1 by n2 .*: done, but not for "n3" \(run this again when it is back\)$/,
    );
    assert.deepEqual(leftOut(without.stdout), ["n3"]);

    const before = running.accepted.length;
    running.startLoad();
    await waitFor("writes to the new root", () => running.accepted.length > before + 3);
    await running.startServer("n3");
    assert.deepEqual(await running.unsettled(), ["n3"], "paused since the command was killed");
    const again = await n2.command(...failover);
    assert.deepEqual(leftOut(again.stdout), []);
    assert.deepEqual((await running.tree()).n3, { type: "branch", provider: "n2" });
    await running.bringBack("n1");
    await running.command("n1", "resurrect");
    running.startWorker("n1");
    await running.command("n1", "resume");
    await running.assertWhole();
  });
});

function leftOut(stdout: string): string[] {
  return (JSON.parse(stdout) as { leftOut: string[] }).leftOut;
}
