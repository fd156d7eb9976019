import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Member } from "../fixture/cascade-set.js";
import { killAfterEachStep } from "../fixture/kill-after-each-step.js";
import { RunningSet } from "../fixture/running-set.js";

describe("moving nodes under load", () => {
  let running: RunningSet;

  before(async () => {
    running = await RunningSet.create({
      n1: { type: "root", provider: null },
      n2: { type: "branch", provider: "n1" },
      n3: { type: "branch", provider: "n1" },
      n4: { type: "branch", provider: "n2" },
      n5: { type: "leaf", provider: "n3" },
    });
    running.startLoad();
  });
  after(() => running[Symbol.asyncDispose]());

  it("change-provider comes to the same end although it is killed after each step, when it is run again", async () => {
    const killed = await killAfterEachStep(running.member("n4"), ["change-provider", "--provider=n3"]);
    assert.deepEqual(killed, ["pause@n4", "subscribe@n3", "switch-provider@n4", "unsubscribe@n2"]);
    await running.command("n1", "change-provider", "--node=n5", "--provider=n2");
    const tree = await running.tree();
    assert.deepEqual([tree.n4!.provider, tree.n5!.provider], ["n3", "n2"]);
    await running.assertWhole();
  });

  it("says that a node has that provider already, and takes a move back that was begun", async () => {
    const again = await running.command("n4", "change-provider", "--provider=n3");
    assert.match(again.stderr, /Consumer 'n4_worker' at node 'n4' has already 'n3' as provider/);
    const killed = await running.member("n4").run(["change-provider", "--provider=n2"], {
      SKYTOOLS_CRASH_POINT: "plan.after-subscribe@n2=kill",
    });
    assert.equal(killed.code, 137, killed.stderr);
    assert.deepEqual(await running.unsettled(), ["n4"]);
    await running.command("n4", "change-provider", "--provider=n3");
    await running.assertWhole();
  });

  const refusals: [string, string, string[], RegExp][] = [
    [
      "a node that reads from it",
      "n3",
      ["--provider=n4"],
      /"n4" gets its events from "n3": they would feed each other/,
    ],
    ["itself", "n3", ["--provider=n3"], /cannot subscribe to itself/],
    ["a leaf", "n3", ["--provider=n5"], /Cannot subscribe to leaf node "n5"/],
    ["a stranger", "n3", ["--provider=n9"], /Unknown node: n9/],
    ["anybody, being the root", "n1", ["--provider=n2"], /node "n1" is the root, it has no provider/],
  ];
  for (const [whom, node, args, message] of refusals) {
    it(`refuses to read from ${whom}, and nothing has changed`, async () => {
      const before = await running.tree();
      const { code, stderr } = await running.member(node).run(["change-provider", ...args]);
      assert.equal(code, 1);
      assert.match(stderr, message);
      assert.deepEqual(await running.tree(), before);
      assert.deepEqual(await running.unsettled(), []);
    });
  }

  it("refuses a provider that has removed what the node needs, and a root whose takeover was interrupted", async () => {
    const [n1, n5] = [running.member("n1"), running.member("n5")];
    await running.killWorker("n5");
    const [{ tick }] = (await n5.query("select last_tick_id as tick from pgq_node.local_state")) as [
      { tick: string },
    ];
    await n5.query("update pgq_node.local_state set last_tick_id = 0");
    const removed = await n5.run(["change-provider", "--provider=n3"]);
    assert.match(removed.stderr, /"n5" has finished tick 0; "n3" has removed everything before \d+/);
    await n5.query("update pgq_node.local_state set last_tick_id = $1", [tick]);
    running.startWorker("n5");

    await n1.query("select pgq_node.demote_root('q', 1, 'n2')");
    const demoted = await n5.run(["change-provider", "--provider=n1"]);
    await n1.query("update pgq.queue set queue_external_ticker = false, queue_disable_insert = false");
    assert.match(demoted.stderr, /root "n1" refuses events: a takeover of it was interrupted/);
    assert.deepEqual([removed.code, demoted.code], [1, 1]);
    await running.assertWhole();
  });

  it("says what helps when the new provider, or the worker that moves, does not answer: leaving them out does not", async () => {
    const n2 = running.member("n2");
    await n2.cluster.query("alter database n2 allow_connections false");
    await n2.cluster.terminateBackends({ database: "n2" });
    const move = ["change-provider", "--node=n5", "--provider=n2"];
    const down = await running.member("n1").run(move);
    const leftOut = await running.member("n1").run([...move, "--dead=n2"]);
    await n2.cluster.query("alter database n2 allow_connections true");
    assert.match(
      down.stderr,
      /node "n2" does not answer: .*\nHINT: Bring it back, or choose another provider\.\n/,
    );
    assert.match(leftOut.stderr, /node "n2" is treated as dead\nHINT: Say it without --dead=n2\.\n/);
    await running.killWorker("n5");
    const silent = await running
      .member("n1")
      .run(["change-provider", "--node=n5", "--provider=n3", "--timeout=1"]);
    assert.match(
      silent.stderr,
      /worker "n5_worker" of node "n5" does not answer .*\nHINT: Start it .*large batch\.$/m,
    );
    running.startWorker("n5");
    assert.deepEqual([down.code, leftOut.code, silent.code], [1, 1, 1]);
    await running.assertWhole();
  });

  it("moves a plain consumer, which keeps its position, killed after each step", async () => {
    const [n1, n2, n5] = ["n1", "n2", "n5"].map((name) => running.member(name)) as [Member, Member, Member];
    await n1.query("select pgq.register_consumer('q', 'plain')");
    const [row] = await n1.query<{ tick: string }>(
      "select last_tick::text as tick from pgq.get_consumer_info('q', 'plain')",
    );
    await n5.query("select pgq_node.register_consumer('q', 'plain', 'n1', $1)", [row!.tick]);
    let isWanted = true;
    const consumer = async () => {
      while (isWanted) await n5.query("select pgq_node.set_consumer_uptodate('q', 'plain', true)");
    };
    const answering = consumer();
    await killAfterEachStep(n5, ["change-provider", "--consumer=plain", "--provider=n2"]);
    isWanted = false;
    await answering;
    const [state] = await n5.query(
      "select provider_node, completed_tick::text, paused from pgq_node.get_consumer_state('q', 'plain')",
    );
    assert.deepEqual(state, { provider_node: "n2", completed_tick: row!.tick, paused: false });
    const positions = await n2.query("select last_tick::text from pgq.get_consumer_info('q', 'plain')");
    assert.deepEqual(positions, [{ last_tick: row!.tick }]);
    assert.deepEqual(await n1.query("select from pgq.get_consumer_info('q', 'plain')"), []);
    await n5.query("select pgq_node.unregister_consumer('q', 'plain')");
    await n2.query("select pgq.unregister_consumer('q', 'plain')");
  });

  it("T1: a node moves to a provider that is behind, once that has caught up", async () => {
    running.startLoad();
    await running.killWorker("n2");
    const moving = running.command("n5", "change-provider", "--provider=n3");
    await moving;
    running.startLoad();
    const back = running.member("n5").run(["change-provider", "--provider=n2", "--timeout=60"]);
    running.startWorker("n2");
    const { code, stderr } = await back;
    assert.equal(code, 0, stderr);
    await running.assertWhole();
  });

  it("a branch takes the place of the branch above it, killed after each step", async () => {
    running.startLoad();
    await killAfterEachStep(running.member("n4"), ["takeover", "n3", "--all"]);
    const tree = await running.tree();
    assert.deepEqual([tree.n4!.provider, tree.n3!.provider], ["n1", "n4"]);
    await running.assertWhole();
  });

  it("T4, T5: a child of a dead branch takes its place, with all its other children, killed after each step", async () => {
    running.startLoad();
    await running.command("n5", "change-provider", "--provider=n4");
    await running.killWorker("n4");
    const n4 = running.member("n4");
    await n4.cluster.query("alter database n4 allow_connections false");
    await n4.cluster.terminateBackends({ database: "n4" });
    const plain = await running.member("n3").run(["takeover", "n4"]);
    assert.match(plain.stderr, /node "n4" does not answer: .*\n.*--dead-root or --dead-branch/);
    await killAfterEachStep(running.member("n3"), ["takeover", "n4", "--dead-branch"]);
    await n4.cluster.query("alter database n4 allow_connections true");
    const tree = await running.tree();
    assert.deepEqual([tree.n3!.provider, tree.n5!.provider], ["n1", "n3"]);
    const members = (await running.command("n1", "members")).stdout;
    assert.match(members, /^n4 +True/m);
    await running.command("n1", "tag-alive", "n4");
    running.startWorker("n4");
    await running.assertWhole();
    assert.doesNotMatch((await running.command("n5", "members")).stdout, /True/);
  });

  it("tag-dead, killed after each step, and tag-alive tell everybody", async () => {
    await killAfterEachStep(running.member("n5"), ["tag-dead", "n2"]);
    for (const name of ["n1", "n3", "n4", "n5"]) {
      assert.match((await running.command(name, "members")).stdout, /^n2 +True/m);
    }
    await running.command("n1", "tag-alive", "n2");
    for (const name of ["n1", "n3", "n4", "n5"]) {
      assert.doesNotMatch((await running.command(name, "members")).stdout, /True/);
    }
  });
});
