import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Cluster, type RunningProgram, startCluster, startProgram, waitFor } from "@skytools/testbed";
import { NodeSet, type QueueNode } from "../fixture/node-set.js";

const example = join(dirname(fileURLToPath(import.meta.url)), "../../example/queue-worker.mjs");

const points = [
  "worker.after-queue-copy",
  "worker.before-target-commit",
  "worker.after-target-commit",
  "worker.after-tick",
];

/* oslo (root) -> riga (branch) and tartu (branch), which only pass the queue on */
describe("a branch without data of its own", () => {
  let cluster: Cluster;
  let set: NodeSet;
  let oslo: QueueNode;
  let riga: QueueNode;
  let tartu: QueueNode;
  let firstTick: bigint;

  before(async () => {
    cluster = await startCluster();
    set = await NodeSet.create(cluster);
    const [d1, d2, d3] = await Promise.all(["oslo", "riga", "tartu"].map((name) => set.database(name)));
    oslo = await set.node("root", "oslo", "q", d1!);
    riga = await set.node("branch", "riga", "q", d2!, { provider: oslo });
    tartu = await set.node("branch", "tartu", "q", d3!, { provider: oslo });
    firstTick = await tartu.position();
  });
  after(async () => {
    await set[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  function start(node: QueueNode, env: Record<string, string> = {}): RunningProgram {
    const file = `${node.configFile}.queue`;
    writeFileSync(
      file,
      `[queue_worker]\njob_name = ${node.workerName}\nnode_db = ${node.database.connstr}\nqueue_name = q\n` +
        `loop_delay = 0.05\nexception_sleep = 0.1\npidfile = ${file}.pid\n`,
    );
    return startProgram(example, [file, "worker"], { env });
  }

  async function dieAt(node: QueueNode, point: string): Promise<void> {
    await using victim = start(node, { SKYTOOLS_CRASH_POINT: `${point}=kill` });
    assert.equal((await victim.exit).signal, "SIGKILL", victim.outputTail());
  }

  async function assertSame(node: QueueNode): Promise<void> {
    assert.deepEqual(await node.events(), await oslo.events());
    assert.deepEqual(await node.ticks(firstTick), await oslo.ticks(firstTick));
  }

  it("has every event and tick once, whenever its worker dies", async () => {
    for (const point of points) {
      await oslo.produce(`one ${point}`, `two ${point}`);
      await oslo.tick();
      await dieAt(tartu, point);
    }
    await using worker = start(tartu);
    await tartu.waitForQueueTick(await oslo.produce("last"), worker);
    await assertSame(tartu);
  });

  it("replays the cascade's events that lie between others", async () => {
    await oslo.query("select pgq.insert_event('q', 'before', null)");
    await oslo.query("select pgq_node.register_location('q', 'later', 'dbname=later', false)");
    await using worker = start(tartu);
    await tartu.waitForQueueTick(await oslo.produce("after"), worker);
    const known = await tartu.query("select from pgq_node.node_location where node_name = 'later'");
    assert.equal(known.length, 1);
    await assertSame(tartu);
  });

  it("goes on at another provider after its worker died with the tick made, or not yet", async () => {
    await using upper = start(riga);
    let providers = [oslo, riga];
    for (const point of ["worker.after-tick", "worker.after-target-commit"]) {
      await oslo.produce(`one ${point}`);
      await dieAt(tartu, point);
      await riga.waitForQueueTick(await oslo.produce(`two ${point}`), upper);
      const ticks = await tartu.ticks((await tartu.position()) - 1n);
      assert.equal(ticks.length, point === "worker.after-tick" ? 1 : 0);
      const [former, next] = providers;
      await moveTo(next!, former!);
      providers = [next!, former!];
    }
    await using worker = start(tartu);
    await tartu.waitForQueueTick(await oslo.produce("at last"), worker);
    await assertSame(tartu);
  });

  /** As change-provider does it. */
  async function moveTo(provider: QueueNode, former: QueueNode): Promise<void> {
    await provider.query("select pgq_node.register_subscriber('q', 'tartu', $1, $2::int8)", [
      tartu.workerName,
      await tartu.position(),
    ]);
    await tartu.query("select pgq_node.change_consumer_provider('q', $1, $2)", [
      tartu.workerName,
      provider.name,
    ]);
    await former.query("select pgq_node.unregister_subscriber('q', 'tartu')");
  }

  it("refuses an event that was put into the retry queue", async () => {
    const events = await tartu.events();
    await oslo.query(
      "select pgq.event_retry_raw('q', $1, now(), null, now(), 0, 'again', 'd', null, null, null, null)",
      [tartu.workerName],
    );
    await oslo.query("select pgq.maint_retry_events()");
    await oslo.tick();
    await using worker = start(tartu);
    await worker.waitForOutput(/CascadedWorker must not get retry events: .*again/);
    await waitFor("the stored error", async () => {
      const [row] = await tartu.query<{ cur_error: string | null }>(
        "select cur_error from pgq_node.local_state where queue_name = 'q'",
      );
      return /must not get retry events/.test(row?.cur_error ?? "");
    });
    assert.deepEqual(await tartu.events(), events);
  });
});
