import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import {
  type Cluster,
  type RunningProgram,
  runProgram,
  startCluster,
  startProgram,
  waitFor,
} from "@skytools/testbed";
import { NodeSet, type QueueNode } from "../fixture/node-set.js";

const example = join(dirname(fileURLToPath(import.meta.url)), "../../example/audit-consumer.mjs");

/* oslo (root) -> riga (branch); tartu (leaf of riga) is where the consumer writes */
describe("a cascaded consumer beside the worker of a node", () => {
  let cluster: Cluster;
  let set: NodeSet;
  let oslo: QueueNode;
  let riga: QueueNode;
  let tartu: QueueNode;
  let config: string;

  before(async () => {
    cluster = await startCluster();
    set = await NodeSet.create(cluster);
    const [d1, d2, d3] = await Promise.all(["oslo", "riga", "tartu"].map((name) => set.database(name)));
    oslo = await set.node("root", "oslo", "q", d1!);
    riga = await set.node("branch", "riga", "q", d2!, { provider: oslo });
    tartu = await set.node("leaf", "tartu", "q", d3!, { provider: riga });
    await tartu.query(
      "create table audit (nr serial, event_id int8, at timestamptz, what text, detail text)",
    );
    config = join(dirname(tartu.configFile), "audit.ini");
    writeFileSync(
      config,
      [
        "[audit_consumer]",
        "job_name = audit",
        `dst_db = ${tartu.database.connstr}`,
        "queue_name = q",
        "loop_delay = 0.05",
        "exception_sleep = 0.1",
        `pidfile = ${config}.pid`,
        "",
      ].join("\n"),
    );
  });
  after(async () => {
    await set[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    runProgram(example, [config, ...args], { env });
  const start = (env: Record<string, string> = {}) => startProgram(example, [config], { env });
  const fromOslo = () => `--provider=${oslo.database.connstr}`;

  async function audited(): Promise<string[]> {
    const rows = await tartu.query<{ what: string }>("select what from audit order by nr");
    return rows.map(({ what }) => what);
  }

  async function position(): Promise<bigint> {
    const [row] = await tartu.query<{ tick: string }>(
      "select last_tick_id::text as tick from pgq_node.local_state where consumer_name = 'audit'",
    );
    return BigInt(row!.tick);
  }

  async function waitForTick(tick: bigint, consumer: RunningProgram): Promise<void> {
    await waitFor(`tick ${tick}`, async () => (await position()) >= tick, {
      onTimeout: () => consumer.outputTail(),
    });
  }

  it("needs a provider to register on, and completes a registration that was interrupted", async () => {
    const without = await run(["--register"]);
    assert.equal(without.code, 1);
    assert.match(without.stderr, /Please give provider location with --provider=/);
    await run(["--register", fromOslo()], { SKYTOOLS_CRASH_POINT: "register.after-provider=kill" });
    await oslo.produce("while half registered");
    const { code, stderr } = await run(["--register", fromOslo()]);
    assert.equal(code, 0, stderr);
    await using consumer = start();
    await waitForTick(await oslo.produce("first"), consumer);
    assert.deepEqual(await audited(), ["while half registered", "first"]);
  });

  it("waits for the disk when it commits, whatever the database is set to", async () => {
    const setting = (value: string) =>
      tartu.query(`alter database ${tartu.database.name} set synchronous_commit = ${value}`);
    await setting("off");
    await tartu.query("alter table audit add durability text default current_setting('synchronous_commit')");
    await using consumer = start();
    await waitForTick(await oslo.produce("durable"), consumer);
    const durable = await tartu.query("select durability from audit where what = 'durable'");
    assert.deepEqual(durable, [{ durability: "local" }]);
    await setting("default");
  });

  it("keeps its position when it is registered again although the provider is behind", async () => {
    const tick = await oslo.produce("counted once");
    await using victim = start({ SKYTOOLS_CRASH_POINT: "worker.after-target-commit=kill" });
    assert.equal((await victim.exit).signal, "SIGKILL", victim.outputTail());
    assert.equal(await position(), tick);
    assert.match(
      (await run(["--register", fromOslo()])).stderr,
      /already registered on queue q, at tick \d+/,
    );
    await using consumer = start();
    await waitForTick(await oslo.produce(), consumer);
    assert.equal((await audited()).filter((what) => what === "counted once").length, 1);
    const elsewhere = await run(["--register", `--provider=${riga.database.connstr}`]);
    assert.equal(elsewhere.code, 1);
    assert.match(elsewhere.stderr, /reads from node "oslo", not from "riga"/);
  });

  it("leaves the cascade's own events to the worker", async () => {
    await oslo.query("select pgq_node.register_location('q', 'later', 'dbname=later', false)");
    await using consumer = start();
    await waitForTick(await oslo.produce("after a location"), consumer);
    assert.equal((await audited()).at(-1), "after a location");
    assert.deepEqual(await tartu.query("select from pgq_node.node_location where node_name = 'later'"), []);
  });

  it("pauses, resumes, and can be stopped while it is paused", async () => {
    await using consumer = start();
    await setPaused(true);
    const before = await position();
    const tick = await oslo.produce("during the pause");
    assert.equal((await run(["-s"])).code, 0);
    assert.equal((await consumer.exit).code, 0);
    assert.equal(await position(), before);
    await using next = start();
    await setPaused(false);
    await waitForTick(tick, next);
  });

  it("goes on at another provider without a new configuration", async () => {
    await using branch = riga.startWorker();
    await using consumer = start();
    await riga.waitForQueueTick(await oslo.produce("before the change"), branch);
    await setPaused(true);
    const tick = await position();
    await riga.waitForQueueTick(tick, branch);
    await riga.query("select pgq.register_consumer_at('q', 'audit', $1)", [String(tick)]);
    await tartu.query("select pgq_node.change_consumer_provider('q', 'audit', 'riga')");
    await setPaused(false);
    await oslo.query("select pgq.unregister_consumer('q', 'audit')");
    await waitForTick(await oslo.produce("after the change"), consumer);
    const all = await audited();
    assert.deepEqual(all.slice(-2), ["before the change", "after the change"]);
    assert.equal(new Set(all).size, all.length);
  });

  it("is moved back to its own position by --rewind, and forward over events by --reset", async () => {
    await using branch = riga.startWorker();
    const lost = await oslo.produce("passed over");
    await riga.waitForQueueTick(lost, branch);
    await riga.query("select pgq.register_consumer_at('q', 'audit', $1)", [String(lost)]);
    assert.match((await run(["--rewind"])).stderr, /Rewinding queue/);
    {
      await using consumer = start();
      await waitForTick(lost, consumer);
    }
    assert.equal((await audited()).at(-1), "passed over");
    const skipped = await oslo.produce("left out");
    await riga.waitForQueueTick(skipped, branch);
    await riga.query("select pgq.register_consumer_at('q', 'audit', $1)", [String(skipped)]);
    assert.match((await run(["--reset"])).stderr, /Resetting queue tracking on dst side/);
    assert.equal(await position(), skipped);
  });

  it("leaves nothing behind when it is unregistered, and a node's worker cannot be", async () => {
    await run(["--unregister"], { SKYTOOLS_CRASH_POINT: "unregister.after-provider=kill" });
    assert.equal((await run(["--unregister"])).code, 0);
    for (const node of [oslo, riga]) {
      assert.deepEqual(await node.query("select from pgq.get_consumer_info('q', 'audit')"), []);
    }
    assert.deepEqual(await tartu.query("select from pgq_node.local_state where consumer_name = 'audit'"), []);
    const worker = await run(["--unregister", "--set", "consumer_name=tartu_w"]);
    assert.equal(worker.code, 1);
    assert.match(worker.stderr, /"tartu_w" is the worker of node "tartu"/);
  });

  async function setPaused(isPaused: boolean): Promise<void> {
    await tartu.query("select pgq_node.set_consumer_paused('q', 'audit', $1)", [isPaused]);
    await waitFor("the consumer's answer", async () => {
      const [row] = await tartu.query<{ uptodate: boolean }>(
        "select uptodate from pgq_node.local_state where consumer_name = 'audit'",
      );
      return row!.uptodate;
    });
  }
});
