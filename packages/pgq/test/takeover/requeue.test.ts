import assert from "node:assert/strict";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { dumpedData, dumpFileOf } from "../fixture/dumped-events.js";
import { killAfterEachStep } from "../fixture/kill-after-each-step.js";
import { RunningSet } from "../fixture/running-set.js";

describe("resurrection whose lost events go into the queue of the new root", () => {
  let running: RunningSet;
  let dumpFile: string;

  before(async () => {
    running = await RunningSet.create({
      n1: { type: "root", provider: null },
      n2: { type: "branch", provider: "n1" },
      n3: { type: "leaf", provider: "n2" },
    });
    dumpFile = dumpFileOf(running.member("n1"));
    await running.writeTo("n1", "shared");
    await running.assertWhole();
    await running.killWorker("n2");
    await running.writeTo("n1", "lost in a batch");
    await running.member("n1").query("select pgq.insert_event('q', null, 'lost, without a type')");
    running.accepted.push("lost, without a type");
    await running.takeDown("n1");
    running.startWorker("n2");
    await running.command("n2", "takeover", "n1", "--dead-root");
    await running.bringBack("n1");
  });
  after(() => running[Symbol.asyncDispose]());

  /** Once the lost events are removed, the file is all that has them. */
  async function refusesOtherFiles(): Promise<void> {
    const written = readFileSync(dumpFile, "utf8");
    const elsewhere = `${dumpFile}.moved`;
    renameSync(dumpFile, elsewhere);
    const expectRefusal = async (reason: RegExp) => {
      const { code, stderr } = await running.member("n1").run(["resurrect", "--requeue"]);
      assert.equal(code, 1);
      const errors = stderr.split("\n").filter((line) => line.includes(" ERROR "));
      assert.equal(errors.length, 1, stderr);
      assert.match(errors[0]!, /resurrect-lost-events\.json is not the file of the \d+ lost events/);
      assert.match(errors[0]!, reason);
    };
    await expectRefusal(/there is no such file/);
    writeFileSync(dumpFile, written.slice(0, -3));
    await expectRefusal(/it ends in the middle/);
    writeFileSync(dumpFile, written.replace("lost in a batch", "of another node"));
    await expectRefusal(/it holds something else/);
    const subscribers = await running
      .member("n2")
      .query("select worker_name as name from pgq_node.subscriber_info where subscriber_node = 'n1'");
    assert.deepEqual(subscribers, [{ name: "n1.gravestone" }], "nothing was changed");
    renameSync(elsewhere, dumpFile);
  }

  it("puts each into the queue once, killed after each step, and no file but that one is taken", async () => {
    const killed = await killAfterEachStep(running.member("n1"), ["resurrect", "--requeue"], async (step) => {
      if (step === "remove-lost@n1") await refusesOtherFiles();
    });
    assert.ok(killed.includes("remove-lost@n1"), killed.join(", "));
    assert.deepEqual(dumpedData(running.member("n1")), ["lost in a batch", "lost, without a type"]);
    const attributes = await running.member("n1").query("select node_attrs as all from pgq_node.node_info");
    assert.deepEqual(attributes, [{ all: null }], "what the node had noted for itself is gone");
    running.startWorker("n1");
    await running.command("n1", "resume");
    await running.assertWhole();
  });

  it("says that nothing is merged any more when it is run again", async () => {
    const again = await running.command("n1", "resurrect", "--requeue");
    assert.match(again.stderr, /a branch of "n2" already: --requeue puts nothing into the queue any more/);
  });
});
