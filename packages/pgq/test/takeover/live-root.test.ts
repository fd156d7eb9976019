import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Database } from "@skytools/skytools";
import { killAfterEachStep } from "../fixture/kill-after-each-step.js";
import { RunningSet } from "../fixture/running-set.js";

describe("takeover of a live root under load", () => {
  let running: RunningSet;

  before(async () => {
    running = await RunningSet.create({
      oslo: { type: "root", provider: null },
      riga: { type: "branch", provider: "oslo" },
      bergen: { type: "branch", provider: "oslo" },
      tartu: { type: "leaf", provider: "riga" },
      narva: { type: "leaf", provider: "bergen" },
    });
    running.startLoad();
  });
  after(() => running[Symbol.asyncDispose]());

  it("prints its steps, and changes nothing", async () => {
    const before = await running.tree();
    const { stdout } = await running.command("riga", "takeover", "oslo", "--dry-run");
    const names = stdout
      .split("\n")
      .flatMap((line) => /^\d+ +(\S+) +(\S+)/.exec(line)?.slice(1, 3).join("@") ?? []);
    assert.deepEqual(names, [
      "catch-up@riga",
      "pause@oslo",
      "refuse-writes@oslo",
      "final-tick@oslo",
      "catch-up@riga",
      "pause@riga",
      "promote@riga",
      "become-branch@oslo",
      "await-answer@riga",
      "await-answer@oslo",
      "unsubscribe@oslo",
    ]);
    assert.deepEqual(await running.tree(), before);
  });

  it("comes to the same end although it is killed after each step, when it is run again", async () => {
    const setting = "select pgq.set_queue_config('q', 'ticker_max_count', '4321')";
    await running.member("oslo").query(setting);
    const killed = await killAfterEachStep(running.member("riga"), ["takeover", "oslo"]);
    assert.equal(killed.length, 7, killed.join(" "));
    const settings = await running
      .member("riga")
      .query("select queue_ticker_max_count as count from pgq.queue");
    assert.deepEqual(settings, [{ count: 4321 }], "the ticker goes on as it did");
    assert.deepEqual(await running.tree(), {
      oslo: { type: "branch", provider: "riga" },
      riga: { type: "root", provider: null },
      bergen: { type: "branch", provider: "oslo" },
      tartu: { type: "leaf", provider: "riga" },
      narva: { type: "leaf", provider: "bergen" },
    });
    await running.assertWhole();
  });

  it("T2: with --all by a grandchild moves everybody below the new root, in no circle, killed after each step", async () => {
    running.startLoad();
    await killAfterEachStep(running.member("bergen"), ["takeover", "riga", "--all"]);
    assert.deepEqual(await running.tree(), {
      oslo: { type: "branch", provider: "bergen" },
      riga: { type: "branch", provider: "bergen" },
      bergen: { type: "root", provider: null },
      tartu: { type: "leaf", provider: "bergen" },
      narva: { type: "leaf", provider: "bergen" },
    });
    await running.assertWhole();
  });

  it("T3: is refused for a leaf, before anything changes", async () => {
    const before = await running.tree();
    const { code, stderr } = await running.member("narva").run(["takeover", "bergen"]);
    assert.equal(code, 1);
    assert.match(stderr, /takeover of bergen by narva is refused: Cannot subscribe to leaf node "narva"/);
    const dry = await running.member("narva").run(["takeover", "bergen", "--dry-run"]);
    assert.equal(dry.code, 1, "a plan that is shown and refused");
    assert.match(dry.stdout, /^refusal: Cannot subscribe to leaf node "narva"$/m);
    assert.deepEqual(await running.tree(), before);
    assert.deepEqual(await running.unsettled(), []);
  });

  it("says that a node which reads from the taker is below it already", async () => {
    const leaf = await running.command("bergen", "takeover", "narva");
    assert.match(
      leaf.stderr,
      /leaf "narva" gets its events from "bergen" already, and nobody gets events from a leaf/,
    );
    const branch = await running.command("bergen", "takeover", "riga");
    assert.match(
      branch.stderr,
      /branch "riga" gets its events from "bergen" already: the place is taken over/,
    );
    const undo = await running.member("riga").run(["takeover", "narva", "--undo"]);
    assert.equal(undo.code, 1);
    assert.match(undo.stderr, /"narva" is a leaf: only the takeover of a live root can be given up/);
  });

  it("T6: ends in time with a clear word when a worker does not run, and nothing has changed", async () => {
    await running.killWorker("riga");
    const { code, stderr } = await running.member("riga").run(["takeover", "bergen", "--timeout=3"]);
    assert.equal(code, 1);
    assert.match(stderr, /worker "riga_worker" of node "riga" does not answer \(waited 3 s\)\n.*Start it/);
    running.startWorker("riga");
    running.startLoad();
    await running.assertWhole();
  });

  it("T7: a switchover that cannot end gives the root back to the writers", async () => {
    const bergen = running.member("bergen");
    await using writer = await Database.open(bergen.connstr);
    await writer.query("select pgq.insert_event('q', 'data', 'open transaction')");
    running.accepted.push("open transaction");
    const { code, stderr } = await running.member("riga").run(["takeover", "bergen", "--timeout=5"]);
    await writer.commit();
    assert.equal(code, 1);
    assert.match(stderr, /final-tick@bergen: a transaction that has written to the queue is still open/);
    assert.match(stderr, /undo refuse-writes@bergen/);
    await running.writeTo("bergen", "after the undo");
    await running.assertWhole();
  });

  it("T7: a killed switchover is taken back by --undo", async () => {
    const killed = await running.member("riga").run(["takeover", "bergen"], {
      SKYTOOLS_CRASH_POINT: "plan.after-pause@riga=kill",
    });
    assert.equal(killed.code, 137, killed.stderr);
    await assert.rejects(running.writeTo("bergen", "refused"), /disallowed/);
    await running.command("riga", "takeover", "bergen", "--undo");
    await running.writeTo("bergen", "after --undo");
    await running.assertWhole();
  });
});
