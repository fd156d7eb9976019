import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { waitFor } from "@skytools/testbed";
import { takeDumpedData } from "../fixture/dumped-events.js";
import { RunningSet } from "../fixture/running-set.js";

describe("two takeovers of one root, of which the second cannot know of the first", () => {
  let running: RunningSet;

  before(async () => {
    running = await RunningSet.create({
      n1: { type: "root", provider: null },
      n2: { type: "branch", provider: "n1" },
      n3: { type: "branch", provider: "n1" },
    });
    running.startLoad();
    await waitFor("some writes", () => running.accepted.length > 3);
    await running.assertWhole();
  });
  after(() => running[Symbol.asyncDispose]());

  it("is refused while the first new root does not answer", async () => {
    await running.takeDown("n3");
    await running.takeDown("n1");
    await running.command("n2", "takeover", "n1", "--dead-root", "--dead=n3");
    await running.writeTo("n2", "only n2 has it");
    await running.takeDown("n2");
    await running.bringBack("n3");
    running.startWorker("n3");
    const { code, stderr } = await running.member("n3").run(["takeover", "n1", "--dead-root"]);
    assert.equal(code, 1);
    assert.match(stderr, /"n2" does not answer and may be the root by now: /);
    assert.match(
      stderr,
      /where it is certain that it has not taken over from "n1", say so with --dead=n2\. Otherwise/,
    );
    assert.deepEqual(await running.tree(), { n3: { type: "branch", provider: "n1" } });
  });

  it("makes two roots when it is said to be dead and is not: status tells, and resurrect gives one up without loss", async () => {
    await running.command("n3", "takeover", "n1", "--dead-root", "--dead=n2");
    await running.writeTo("n3", "on the other root");
    const n2 = await running.bringBack("n2");
    const { code, stdout } = await running.member("n3").run(["status", "--exit-code"]);
    assert.equal(code, 1);
    assert.match(stdout, /Why: TWO ROOTS: "n2" takes events too/);
    const shown = await running.command("n2", "resurrect", "--dry-run");
    assert.match(shown.stdout, /^warning: "n2" and "n3" are both roots: "n2" is given up/m);
    // What follows is a resurrection as any other, which is killed after each step elsewhere.
    const killed = await n2.run(["resurrect"], { SKYTOOLS_CRASH_POINT: "plan.after-bury@n3=kill" });
    assert.equal(killed.code, 137, killed.stderr);
    await running.command("n2", "resurrect");
    const lost = takeDumpedData(running.member("n2"));
    assert.deepEqual(lost, ["only n2 has it"]);
    running.forget(lost);
    running.startWorker("n2");
    await running.command("n2", "resume");

    await running.bringBack("n1");
    await running.command("n1", "resurrect");
    running.startWorker("n1");
    await running.command("n1", "resume");
    assert.deepEqual(await running.tree(), {
      n3: { type: "root", provider: null },
      n2: { type: "branch", provider: "n3" },
      n1: { type: "branch", provider: "n3" },
    });
    await running.assertWhole();
  });
});
