import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Cluster, type RunningProgram, startCluster, waitFor } from "@skytools/testbed";
import { NodeSet, type QueueNode, type Tick } from "../fixture/node-set.js";

/* n1 (root) -> n2 (branch) -> n4 (branch), n5 (leaf)
 *           -> n3 (branch)
 * n2 and n3 keep their event tables in step: sync_watermark */
describe("five nodes under load", () => {
  const settings = ["local_wm_publish_period = 0.1", "global_wm_publish_period = 0.1"];
  let cluster: Cluster;
  let set: NodeSet;
  let nodes: QueueNode[];
  let workers: RunningProgram[];

  before(async () => {
    cluster = await startCluster();
    set = await NodeSet.create(cluster);
    const databases = await Promise.all(["n1", "n2", "n3", "n4", "n5"].map((name) => set.database(name)));
    const root = await set.node("root", "n1", "q", databases[0]!, { settings });
    const attributes = "sync_watermark=n2%2Cn3";
    const n2 = await set.node("branch", "n2", "q", databases[1]!, { provider: root, attributes, settings });
    const n3 = await set.node("branch", "n3", "q", databases[2]!, { provider: root, attributes, settings });
    const n4 = await set.node("branch", "n4", "q", databases[3]!, { provider: n2, settings });
    const n5 = await set.node("leaf", "n5", "q", databases[4]!, { provider: n2, settings });
    nodes = [root, n2, n3, n4, n5];
    workers = [];
  });
  after(async () => {
    for (const worker of workers) await worker[Symbol.asyncDispose]();
    await set[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  const root = () => nodes[0]!;
  const branches = () => nodes.slice(1, 4);

  /** Transactions from two sessions, a tick between them, one worker after the other killed and started again. */
  async function load(): Promise<void> {
    let nr = 0;
    const write = async (session: string) => {
      for (let left = 5; left > 0; left -= 1) {
        nr += 1;
        await root().query(
          `select pgq.insert_event('q', $1 || i, repeat(E'tab\\tline\\n\\\\N ', i), null, '', $1, null)
             from generate_series(1, $2) as i`,
          [`${session}.${nr}.`, 1 + (nr % 7)],
        );
      }
    };
    const writeAndTick = () => Promise.all([write("a"), write("b"), root().tick()]);
    for (let at = 1; at < nodes.length; at += 1) {
      for (let ticks = 0; ticks < 5; ticks += 1) await writeAndTick();
      workers[at]!.signal("SIGKILL");
      await Promise.all([workers[at]!.exit, writeAndTick()]);
      workers[at] = nodes[at]!.startWorker();
    }
  }

  it("have the same events, times and ticks, and each event once, although workers are killed", async () => {
    workers = nodes.map((node) => node.startWorker());
    await load();
    await workers[0]!.waitForOutput(/\{standby: 1\}/);
    workers[0]!.signal("SIGINT");
    assert.equal((await workers[0]!.exit).code, 0);
    const last = await root().tick();
    for (const node of branches()) await node.waitForQueueTick(last);
    await nodes[4]!.waitForTick(last);
    const events = await root().events();
    const ticks = await root().ticks(1n);
    for (const node of branches()) {
      assert.deepEqual((await node.ticks(1n)).map(place), ticks.map(place), node.name);
      await assertEventNumbers(node, ticks);
      assert.deepEqual(withoutWatermarks(await node.events()), withoutWatermarks(events), node.name);
    }
    const types = events.filter(isData).map((event) => event.ev_type);
    for (const node of nodes.slice(1)) assert.deepEqual(await appliedTypes(node), types, node.name);
  });

  it("move the watermarks of all queues on, those of the synchronized branches never beyond each other's need", async () => {
    workers[0] = root().startWorker();
    const wanted = await root().tick();
    await waitFor("watermarks to arrive", async () => {
      await root().tick();
      const marks = await Promise.all([root(), ...branches()].map(globalWatermark));
      return marks.every((mark) => mark >= wanted) || Promise.reject(new Error(marks.join(" ")));
    });
    const copied = await nodes[1]!.events();
    const original = await root().events();
    for (const event of copied.filter(({ ev_type }) => ev_type === "pgq.global-watermark")) {
      const sent = original.find(({ ev_id }) => ev_id === event.ev_id)!;
      assert.ok(BigInt(String(event.ev_data)) <= BigInt(String(sent.ev_data)));
    }
  });

  it("hold the event tables of a synchronized branch while the other one does not answer", async () => {
    workers[2]!.signal("SIGKILL");
    await workers[2]!.exit;
    await root().query("alter database n3 with allow_connections false");
    await cluster.terminateBackends({ database: "n3" });
    await waitFor("the warning of n2", async () => {
      await root().tick();
      return /WARN.* Node not working: n3/.test(workers[1]!.stderrText());
    });
    const before = await globalWatermark(nodes[1]!);
    await nodes[1]!.waitForTick(await root().tick());
    assert.equal(await globalWatermark(nodes[1]!), before);

    await nodes[1]!.query("select pgq_node.set_node_attrs('q', 'sync_watermark=n2%2Cnobody')");
    await waitFor("the warning of a name that nobody has", async () => {
      await root().tick();
      return /WARN.* Unknown node in sync_watermark list: nobody/.test(workers[1]!.stderrText());
    });
    assert.equal(await globalWatermark(nodes[1]!), before);
  });

  it("stop at once when they are told to", async () => {
    for (const at of [0, 1, 3, 4]) {
      workers[at]!.signal("SIGINT");
      assert.equal((await workers[at]!.exit).code, 0);
    }
  });
});

const place = ({ tick_id, tick_time }: Tick) => [tick_id, tick_time];

/** The event number of each tick covers all events before it, never goes back and is never below the root's. */
async function assertEventNumbers(node: QueueNode, ofRoot: readonly Tick[]): Promise<void> {
  const numbers = await node.query<{ tick_event_seq: string; highest: string | null }>(
    `select tick_event_seq::text,
            (select max(ev_id) from ${await node.eventTable()}
              where pg_visible_in_snapshot(ev_txid::text::xid8, tick_snapshot::text::pg_snapshot))::text as highest
       from pgq.tick where tick_id > 1 order by tick_id`,
  );
  let former = 0n;
  for (const [at, { tick_event_seq, highest }] of numbers.entries()) {
    const number = BigInt(tick_event_seq);
    assert.ok(number >= BigInt(highest ?? 0), `${node.name}: ${number} < ${highest}`);
    assert.ok(number >= former && number >= BigInt(ofRoot[at]!.tick_event_seq), `${node.name}: ${number}`);
    former = number;
  }
}

async function globalWatermark(node: QueueNode): Promise<bigint> {
  const [row] = await node.query<{ tick: string }>(
    "select global_watermark::text as tick from pgq_node.get_node_info('q')",
  );
  return BigInt(row!.tick);
}

async function appliedTypes(node: QueueNode): Promise<string[]> {
  const rows = await node.query<{ ev_type: string }>("select ev_type from applied order by ev_id");
  return rows.map((row) => row.ev_type);
}

/** A synchronized branch puts its own watermark into these events. */
function withoutWatermarks(events: Record<string, unknown>[]): Record<string, unknown>[] {
  return events.map((event) =>
    event.ev_type === "pgq.global-watermark" ? { ...event, ev_data: null } : event,
  );
}

function isData(event: Record<string, unknown>): boolean {
  return !String(event.ev_type).startsWith("pgq.");
}
