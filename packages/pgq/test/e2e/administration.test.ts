import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { waitFor } from "@skytools/testbed";
import { CascadeSet, type Member, produce, tick, waitForTick } from "../fixture/cascade-set.js";

describe("administration of a set with a root, a branch and a leaf below it", () => {
  let set: CascadeSet;
  let root: Member;
  let branch: Member;
  let leaf: Member;

  before(async () => {
    set = await CascadeSet.create(2);
    root = await set.member("root", 0, ["global_wm_publish_period = 0.1"]);
    branch = await set.member("branch", 1, ["local_wm_publish_period = 0"]);
    leaf = await set.member("leaf", 0, ["local_wm_publish_period = 0"]);
    await root.command("create-root", "oslo", root.connstr);
    await branch.command("create-branch", "riga", branch.connstr, `--provider=${root.connstr}`);
    await leaf.command("create-leaf", "tartu", leaf.connstr, `--provider=${branch.connstr}`);
  });
  after(() => set[Symbol.asyncDispose]());

  it("passes events through the branch to the leaf", async () => {
    await using branchWorker = branch.startWorker();
    await using leafWorker = leaf.startWorker();
    const last = await produce(root, ["one", "two"]);
    await waitForTick(branch, last, branchWorker);
    await waitForTick(leaf, last, leafWorker);
    const types = (await leaf.applied()).map((row) => row.ev_type);
    assert.deepEqual(types, ["one", "two"]);
  });

  it("shows the tree, as text and as JSON, from every node", async () => {
    await using rootWorker = root.startWorker();
    await using branchWorker = branch.startWorker();
    await using leafWorker = leaf.startWorker();
    const newest = await tick(root);
    await waitForTick(leaf, newest, leafWorker);
    await rootWorker.waitForOutput(/\{standby: 1\}/);
    await waitForTick(branch, newest, branchWorker);
    await waitFor("the root worker's acknowledgement", async () => {
      const { stdout } = await root.command("node-info");
      return stdout.includes("Status: OK");
    });
    // A watermark that the root's worker sends may wait for a tick: status is not to call that late.
    await root.query("select pgq.set_queue_config('q', 'ticker_max_lag', '5 minutes')");
    await waitForTick(leaf, await tick(root), leafWorker);
    const text = (await leaf.command("status")).stdout;
    assert.match(
      text,
      /^Queue: q {3}Local node: tartu\n\noslo \(root\)\n {2}\| {27}Lag: \d+s, Tick: \d+\n {2}\+--: riga \(branch\)\n {5}\| {24}Lag: \d+s, Tick: \d+\n {5}\+--: tartu \(leaf\)\n {30}Lag: \d+s, Tick: \d+\n$/,
    );
    const json = JSON.parse((await root.command("status", "--json")).stdout) as {
      queue: string;
      nodes: { name: string; type: string; provider: string | null; lagSeconds: number }[];
    };
    assert.equal(json.queue, "q");
    assert.deepEqual(
      json.nodes.map(({ name, type, provider }) => ({ name, type, provider })),
      [
        { name: "oslo", type: "root", provider: null },
        { name: "riga", type: "branch", provider: "oslo" },
        { name: "tartu", type: "leaf", provider: "riga" },
      ],
    );
    for (const node of json.nodes) assert.ok(node.lagSeconds >= 0 && node.lagSeconds < 60);
  });

  it("says in status that no ticks come while events wait", async () => {
    await tick(root);
    await root.query("update pgq.tick set tick_time = tick_time - interval '1 hour'");
    await root.query("select pgq.insert_event('q', 'waiting', null)");
    assert.match(
      (await leaf.command("status")).stdout,
      /Why: NO TICKS for \d+ s: events wait, is pgqd running\?/,
    );
    // A tick of another time would be another tick to the workers.
    await root.query("update pgq.tick set tick_time = tick_time + interval '1 hour'");
    await using branchWorker = branch.startWorker();
    await using leafWorker = leaf.startWorker();
    const newest = await tick(root);
    await waitForTick(branch, newest, branchWorker);
    await waitForTick(leaf, newest, leafWorker);
    assert.doesNotMatch((await leaf.command("status")).stdout, /NO TICKS/);
  });

  it("draws a node that does not answer, and exits with 0", async () => {
    await branch.cluster.query("alter database branch allow_connections false");
    await branch.cluster.terminateBackends({ database: "branch" });
    const { stdout, code } = await root.run(["status"]);
    await branch.cluster.query("alter database branch allow_connections true");
    assert.equal(code, 0);
    assert.match(stdout, /^Node 'riga' failure: .*branch/);
    assert.match(stdout, /^riga \(unreachable\)$/m);
    assert.match(stdout, /^ {2}\+--: tartu \(leaf\)\n.*Lag: \(n\/a\), Tick: \d+/m);
  });

  it("moves the watermarks, so that the root may rotate", async () => {
    await using rootWorker = root.startWorker();
    await using branchWorker = branch.startWorker();
    await using leafWorker = leaf.startWorker();
    const passed = await tick(root);
    await waitFor(
      "the global watermark on the branch",
      async () => {
        await tick(root);
        const [row] = await branch.query<{ passed: boolean }>(
          "select global_watermark >= $1::int8 as passed from pgq_node.get_node_info('q')",
          [passed],
        );
        return row!.passed;
      },
      {
        intervalMs: 200,
        onTimeout: () => rootWorker.outputTail() + branchWorker.outputTail() + leafWorker.outputTail(),
      },
    );
  });

  it("pauses and resumes a worker that answers", async () => {
    await using worker = branch.startWorker();
    const { stderr } = await branch.command("pause");
    assert.match(
      stderr,
      /INFO \[riga\] Consumer branch_worker tagged as paused\n.*Waiting for worker to accept\n.*Consumer 'branch_worker' on node 'riga' paused/,
    );
    const missed = await produce(root, ["while paused"]);
    const dry = await branch.command("resume", "--json", "--dry-run");
    const done = { nodeName: "riga", consumerName: "branch_worker", isPaused: false };
    assert.deepEqual(JSON.parse(dry.stdout), { ...done, isDone: false });
    const { stdout } = await branch.command("resume", "--json");
    assert.deepEqual(JSON.parse(stdout), { ...done, isDone: true });
    await waitForTick(branch, missed, worker);
  });

  it("gives up on a worker that does not run, and the pause stands when it does", async () => {
    const paused = await branch.run(["pause", "--timeout=0.3"]);
    assert.equal(paused.code, 1);
    assert.match(
      paused.stderr,
      /worker "branch_worker" on node "riga" has not answered within 0\.3 s\n.*Is its process running\?/,
    );
    await using worker = branch.startWorker();
    await waitFor("the acknowledgement", async () => {
      const { stdout } = await branch.command("node-info");
      return stdout.includes("Status: PAUSED\n");
    });
    worker.signal("SIGINT");
    assert.deepEqual(await worker.exit, { code: 0, signal: null });
    await branch.run(["resume", "--timeout=0.1"]);
  });

  it("says so when somebody takes a pause back before the worker has answered", async () => {
    const pausing = branch.run(["pause", "--timeout=60"]);
    await waitFor("the request", async () => {
      const rows = await branch.query("select from pgq_node.local_state where paused");
      return rows.length > 0;
    });
    await branch.query("select pgq_node.set_consumer_paused('q', 'branch_worker', false)");
    const { code, stderr } = await pausing;
    assert.equal(code, 1);
    assert.match(stderr, /operation canceled\? consumer "branch_worker" on node "riga" is running again/);
  });

  it("waits for what the root has, and gives up in time", async () => {
    const late = await leaf.run(["wait-root", "--timeout=0.3"]);
    assert.equal(late.code, 1);
    assert.match(
      late.stderr,
      /the local node has reached tick \d+, not yet one after \d+\n.*tartu: worker "leaf_worker" is not connected to the node's database: is job "leaf_worker" running\?; riga: worker "branch_worker"/,
    );
    await using branchWorker = branch.startWorker();
    await using leafWorker = leaf.startWorker();
    const waiting = leaf.command("wait-root", "--timeout=90");
    let isWaiting = true;
    const end = waiting.finally(() => {
      isWaiting = false;
    });
    await waitFor("wait-root to end", async () => {
      await tick(root);
      return !isWaiting;
    });
    const { stderr } = await end;
    assert.match(
      stderr,
      /Root is oslo\n[\s\S]*Got tick \d+, exiting/,
      branchWorker.outputTail() + leafWorker.outputTail(),
    );
    const onRoot = await root.command("wait-root", "--json");
    assert.match(onRoot.stderr, /Current node is root, no need to wait/);
    assert.deepEqual(JSON.parse(onRoot.stdout), { tick: null });
  });

  it("refuses to drop a node that others read from, and drops one completely", async () => {
    const refused = await root.run(["drop-node", "riga"]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /node still has subscribers: "tartu" read from "riga"/);
    const unknown = await root.run(["drop-node", "nobody"]);
    assert.match(unknown.stderr, /Unknown node: nobody/);

    await root.command("drop-node", "tartu");
    assert.deepEqual(await leaf.query("select node_name from pgq_node.node_info"), []);
    for (const member of [root, branch]) {
      const known = await member.query<{ node_name: string }>(
        "select node_name from pgq_node.node_location order by 1",
      );
      assert.deepEqual(
        known.map((row) => row.node_name),
        ["oslo", "riga"],
      );
      const consumers = await member.query<{ consumer_name: string }>(
        "select consumer_name from pgq.get_consumer_info('q') order by 1",
      );
      assert.ok(consumers.every((row) => !row.consumer_name.includes("tartu")));
    }
  });

  it("drops a node whose database is gone, with a warning", async () => {
    await branch.cluster.dropDatabase("branch");
    const { stderr, code } = await root.run(["drop-node", "riga"]);
    assert.equal(code, 0);
    assert.match(stderr, /WARNING Local drop failure: could not connect to database "branch"/);
    assert.doesNotMatch((await root.command("status")).stdout, /riga/);
  });

  it("drops the root too, which nobody reads from", async () => {
    await root.command("drop-node", "oslo");
    assert.deepEqual(await root.query("select from pgq_node.node_info"), []);
    assert.deepEqual(await root.query("select from pgq.queue"), []);
    assert.equal((await root.run(["status"])).code, 1);
  });
});
