import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Database } from "@skytools/skytools";
import { type Cluster, runProgram, startCluster, startProgram, waitFor } from "@skytools/testbed";
import { NodeSet, programFile, type QueueNode } from "../fixture/node-set.js";

interface ShownNode {
  name: string;
  type: string;
  provider: string | null;
  lagSeconds: number | null;
  legs: Record<string, number> | null;
  errors: { consumerName: string }[];
  failure: string | null;
  stuckReason: string | null;
}

/* oslo (root) -> riga (branch) -> vilnius (branch), tartu (leaf); bergen is dead, lost has a location that leads nowhere */
describe("the status of a set", () => {
  let cluster: Cluster;
  let set: NodeSet;
  let oslo: QueueNode;
  let riga: QueueNode;
  let vilnius: QueueNode;
  let tartu: QueueNode;

  before(async () => {
    cluster = await startCluster();
    set = await NodeSet.create(cluster);
    const names = ["oslo", "riga", "vilnius", "tartu"];
    const [d1, d2, d3, d4] = await Promise.all(names.map((name) => set.database(name)));
    oslo = await set.node("root", "oslo", "q", d1!);
    riga = await set.node("branch", "riga", "q", d2!, { provider: oslo });
    vilnius = await set.node("branch", "vilnius", "q", d3!, { provider: riga });
    tartu = await set.node("leaf", "tartu", "q", d4!, { provider: riga });
    for (const node of [oslo, riga, vilnius, tartu]) await acknowledge(node);
  });
  after(async () => {
    await set[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  /** As if everything had been done just now: no node lags, no event waits for a tick. */
  async function catchUpInTime(): Promise<void> {
    await oslo.tick();
    for (const node of [oslo, riga]) await node.query("update pgq.tick set tick_time = now()");
  }

  async function statusOf(
    ...args: string[]
  ): Promise<{ code: number; nodes: Map<string, ShownNode>; stdout: string }> {
    const { code, stdout } = await oslo.run("status", "--json", ...args);
    const { nodes } = JSON.parse(stdout) as { nodes: ShownNode[] };
    return { code, nodes: new Map(nodes.map((node) => [node.name, node])), stdout };
  }

  async function reasonOf(name: string): Promise<string | null> {
    return (await statusOf()).nodes.get(name)!.stuckReason;
  }

  it("is in order when every node is, and --exit-code says so", async () => {
    await catchUpInTime();
    const { code, nodes } = await statusOf("--exit-code");
    assert.equal(code, 0, JSON.stringify([...nodes.values()]));
    assert.deepEqual(
      [...nodes.values()].map(({ name, type, provider }) => [name, type, provider]),
      [
        ["oslo", "root", null],
        ["riga", "branch", "oslo"],
        ["tartu", "leaf", "riga"],
        ["vilnius", "branch", "riga"],
      ],
    );
    const { lagSeconds, legs } = nodes.get("tartu")!;
    const sum = Object.values(legs!).reduce((total, part) => total + part, 0);
    assert.ok(Math.abs(lagSeconds! - sum) < 1, `${lagSeconds} ${sum}`);
  });

  it("has unreachable and dead nodes as rows of the tree, and exit code 0 all the same", async () => {
    const locate = (name: string, location: string, isDead: boolean) =>
      oslo.query("select pgq_node.register_location('q', $1, $2, $3)", [name, location, isDead]);
    await locate("bergen", "host=/nowhere dbname=bergen", true);
    await locate("lost", cluster.connstr("no_such_database"), false);
    await locate("stray", tartu.database.connstr, false);
    const { code, stdout } = await oslo.run("status");
    assert.equal(code, 0);
    assert.match(stdout, /^Node 'lost' failure: .*no_such_database/m);
    assert.match(stdout, /^lost \(unreachable\)\n {30}Lag: \(n\/a\)\n {30}Why: cannot be asked: /m);
    assert.match(stdout, /^bergen \(dead\)\n {30}Lag: \(n\/a\), PAUSED, NOT UPTODATE\n/m);
    assert.match(stdout, /^ {30}Why: cannot be asked: its location leads to node "tartu"/m);
    assert.equal((await oslo.run("status", "--exit-code", "--compact")).code, 1);
    await catchUpInTime();
    assert.equal((await oslo.run("status", "--exit-code", "--dead=lost", "--dead=stray")).code, 0);
    for (const name of ["bergen", "lost", "stray"]) {
      await oslo.query("select pgq_node.unregister_location('q', $1)", [name]);
    }
  });

  it("names a worker that has not answered and is not running", async () => {
    await tartu.query("select pgq_node.set_consumer_uptodate('q', 'tartu_w', false)");
    assert.match(
      (await reasonOf("tartu"))!,
      /worker "tartu_w" has not answered .* is job "tartu_w" running\?/,
    );
    await acknowledge(tartu);
  });

  it("says in which part of the way a node lags, and that its worker is not running", async () => {
    await oslo.tick();
    await makeOlder(oslo, 600);
    const { stdout } = await oslo.run("status", "--legs");
    assert.match(
      stdout,
      /riga \(branch\)\n.*Lag: \d+m\d+s, Tick: 1\n.*Legs: tick \d+m\d+s, fetch (\d+m)?\d+s, apply 0s/,
    );
    assert.match(
      (await reasonOf("riga"))!,
      /worker "riga_w" is not connected to the node's database: is job "riga_w" running\?/,
    );
    await oslo.query(
      "update pgq.tick set tick_time = now() where tick_id = (select max(tick_id) from pgq.tick)",
    );
    const { legs } = (await statusOf()).nodes.get("riga")!;
    assert.ok(legs!.tickToFetchSeconds! > 500, JSON.stringify(legs));
  });

  it("names the session that a worker waits for", async () => {
    await using worker = tartu.startWorker();
    await using branch = riga.startWorker();
    await tartu.waitForTick(await oslo.tick(), worker);
    assert.ok(branch.isRunning);
    await using blocker = await Database.open(`${tartu.database.connstr} application_name=psql`);
    await blocker.execute("begin; lock table applied");
    await oslo.produce("blocked");
    const waiting =
      "select count(*)::int4 as n from pg_locks where relation = 'applied'::regclass and not granted";
    // Before the worker is in its batch, an older tick would be another tick to it.
    await waitFor("the worker to wait", async () => (await tartu.query<{ n: number }>(waiting))[0]!.n > 0);
    const holder = async () => {
      await makeOlder(riga, 600);
      return /waits for a lock of (.*), whose transaction is open for \d+ s$/.exec(
        (await reasonOf("tartu")) ?? "",
      )?.[1];
    };
    assert.match(await waitFor("the waiting worker", holder), /^program "psql" of user "postgres", pid \d+$/);
    await tartu.query("select pgq_node.register_consumer('q', 'audit', 'riga', 1)");
    await blocker.execute("set application_name = 'audit'");
    await waitFor("the consumer to be named", async () =>
      /^consumer "audit" of node "tartu" \(queue "q"\), pid \d+$/.test((await holder()) ?? ""),
    );
    await tartu.query("select pgq_node.unregister_consumer('q', 'audit')");
    await blocker.rollback();
  });

  const holders: [string, RegExp][] = [
    ["forgotten", /event tables are kept for consumer "forgotten", \d+ s behind/],
    ["bergen.gravestone", /kept for the dead root "bergen" until it is resurrected or dropped, \d+ s behind/],
    ["riga_w.copy.public.t", /kept for the copy of table public\.t for worker "riga_w", \d+ s behind/],
  ];
  it("names whoever keeps event tables from being emptied", async () => {
    await oslo.query("select pgq.set_queue_config('q', 'rotation_period', '1 minute')");
    for (const [name, reason] of holders) {
      await oslo.query("select pgq.register_consumer_at('q', $1, (select min(tick_id) from pgq.tick))", [
        name,
      ]);
      assert.match((await reasonOf("oslo"))!, reason);
      await oslo.query("select pgq.unregister_consumer('q', $1)", [name]);
    }
    await oslo.query("select pgq.set_queue_config('q', 'rotation_period', '2 hours')");
  });

  it("shows a failing node with its error, and a root that was left without writers", async () => {
    await tartu.query("select pgq_node.set_consumer_error('q', 'tartu_w', 'no such table')");
    await oslo.query("select pgq_node.demote_root('q', 1, 'riga')");
    const { stdout } = await oslo.run("status");
    assert.match(stdout, /ERR: tartu_w: no such table\n.*Why: worker "tartu_w" repeats a batch that fails/);
    assert.match(stdout, /Why: takes no events: a switchover was begun and not finished/);
    assert.equal((await oslo.run("status", "--exit-code")).code, 1);
    await tartu.query(
      `select pgq_node.set_consumer_error('q', 'tartu_w', 'could not connect to database "r" at h:5432: no')`,
    );
    assert.match(
      (await reasonOf("tartu"))!,
      /^worker "tartu_w" cannot connect: is its provider "riga" up, and its location right\?$/,
    );
    await oslo.query("update pgq.queue set queue_external_ticker = false, queue_disable_insert = false");
    await tartu.query("select pgq_node.set_consumer_error('q', 'tartu_w', null)");
  });

  it("draws nodes that provide for each other and names the circle", async () => {
    await riga.query("select pgq_node.change_consumer_provider('q', 'riga_w', 'vilnius')");
    const { stdout } = await oslo.run("status");
    assert.match(stdout, /^riga \(branch\)$/m);
    assert.match(stdout, /\+--: vilnius \(branch\)$/m);
    assert.match(stdout, /Why: nodes provide for each other: riga <- vilnius <- riga/);
    const lonely = await set.database("lonely");
    const { code, stderr } = await runProgram(programFile, [
      oslo.configFile,
      `--set=db=${lonely.connstr}`,
      "create-leaf",
      "lonely",
      lonely.connstr,
      `--provider=${riga.database.connstr}`,
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /find_root_db: got loop: nodes "riga", "vilnius" provide for each other/);
    await riga.query("select pgq_node.change_consumer_provider('q', 'riga_w', 'oslo')");
    await acknowledge(riga);
  });

  it("is shown again and again until Ctrl-C", async () => {
    await using watch = startProgram(programFile, [oslo.configFile, "status", "--watch", "0.1"]);
    await watch.waitForOutput(/Queue: q[\s\S]*Queue: q/);
    watch.signal("SIGINT");
    assert.equal((await watch.exit).code, 0);
    assert.equal((await oslo.run("status", "--watch=never")).code, 2);
  });

  it("has a form for the local node alone", async () => {
    const { stdout } = await riga.run("node-status");
    assert.match(
      stdout,
      /^riga \(branch\)\n {4}Provider: oslo\n {4}Subscribers: tartu, vilnius\n {4}Lag: .*, Tick: \d+\n/,
    );
  });

  it("names two roots that both take events, as when one that was given up is back", async () => {
    await vilnius.query("select pgq_node.promote_branch('q')");
    assert.match(
      (await reasonOf("oslo"))!,
      /^TWO ROOTS: "vilnius" takes events too; stop writing to the one/,
    );
    assert.match((await reasonOf("vilnius"))!, /^TWO ROOTS: "oslo" takes events too/);
  });

  it("fails with one clear line where the queue has no node", async () => {
    const { code, stdout, stderr } = await runProgram(programFile, [
      oslo.configFile,
      "--set",
      "queue_name=nothing",
      "status",
    ]);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /queue "nothing" has no node in/);
  });
});

async function acknowledge(node: QueueNode): Promise<void> {
  await node.query("select pgq_node.set_consumer_uptodate($1, $2, true)", [node.queue, node.workerName]);
}

/** Moves the ticks of a node's queue into the past. */
async function makeOlder(node: QueueNode, seconds: number): Promise<void> {
  await node.query("update pgq.tick set tick_time = tick_time - make_interval(secs => $1)", [seconds]);
}
