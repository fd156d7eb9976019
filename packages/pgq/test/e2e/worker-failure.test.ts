import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { waitFor } from "@skytools/testbed";
import {
  CascadeSet,
  completedTick,
  type Member,
  produce,
  tick,
  waitForTick,
} from "../fixture/cascade-set.js";

describe("a worker in trouble", () => {
  let set: CascadeSet;
  let root: Member;
  let leaf: Member;

  before(async () => {
    set = await CascadeSet.create(2);
    root = await set.member("root", 0);
    leaf = await set.member("leaf", 1);
    await root.command("create-root", "root", root.connstr);
    await leaf.command("create-leaf", "leaf", leaf.connstr, `--provider=${root.connstr}`);
  });
  after(() => set[Symbol.asyncDispose]());

  async function storedError(): Promise<string | null> {
    const [row] = await leaf.query<{ cur_error: string | null }>(
      "select cur_error from pgq_node.local_state",
    );
    return row!.cur_error;
  }

  it("survives the restart of either server", async () => {
    await using worker = leaf.startWorker();
    await waitForTick(leaf, await produce(root, ["before"]), worker);
    await root.cluster.restart("immediate");
    await waitForTick(leaf, await produce(root, ["provider restarted"]), worker);
    await leaf.cluster.restart("immediate");
    await waitForTick(leaf, await produce(root, ["target restarted"]), worker);
    await waitFor("the error to be cleared", async () => (await storedError()) === null);
    const types = (await leaf.applied()).map((row) => row.ev_type);
    assert.deepEqual(types, ["before", "provider restarted", "target restarted"]);
  });

  it("goes on after connections were cut in the middle of a batch", async () => {
    await using worker = leaf.startWorker({ SKYTOOLS_CRASH_POINT: "worker.before-target-commit=throw" });
    await waitForTick(leaf, await produce(root, ["thrown"]), worker);
    assert.match(worker.stderrText(), /crash point worker\.before-target-commit/);
    assert.equal((await leaf.applied()).at(-1)!.ev_type, "thrown");
  });

  it("reports a position that fits nowhere, and --rewind repairs it without loss", async () => {
    const position = await completedTick(leaf);
    await produce(root, ["skipped"]);
    const ahead = await produce(root, []);
    await root.query("select pgq.register_consumer_at('q', 'leaf_worker', $1::int8)", [ahead]);
    await using worker = leaf.startWorker();
    await produce(root, []);
    await waitFor("the stored error", async () =>
      /^Lost position: batch \d+\.\.\d+, dst has \d+/.test((await storedError()) ?? ""),
    );
    assert.equal(await completedTick(leaf), position);
    worker.signal("SIGINT");
    await worker.exit;
    assert.match((await leaf.command("worker", "--rewind")).stderr, /Rewinding queue/);
    await using next = leaf.startWorker();
    await waitForTick(leaf, await produce(root, []), next);
    assert.equal((await leaf.applied()).at(-1)!.ev_type, "skipped");
  });

  it("takes over the provider's position with --reset, which leaves events out", async () => {
    await produce(root, ["lost"]);
    const ahead = await produce(root, []);
    await root.query("select pgq.register_consumer_at('q', 'leaf_worker', $1::int8)", [ahead]);
    await leaf.command("worker", "--reset");
    await using worker = leaf.startWorker();
    await waitForTick(leaf, await produce(root, ["found"]), worker);
    const types = (await leaf.applied()).map((row) => row.ev_type);
    assert.ok(!types.includes("lost"));
    assert.equal(types.at(-1), "found");
  });

  it("keeps running when its node is dropped, and says what is missing", async () => {
    const gone = await set.member("gone", 1);
    await gone.command("create-leaf", "gone", gone.connstr, `--provider=${root.connstr}`);
    await using worker = gone.startWorker();
    await waitForTick(gone, await produce(root, []), worker);
    await root.command("drop-node", "gone");
    await worker.waitForOutput(/ERROR .*Unknown queue: q/);
    await worker.waitForOutput(/Unknown queue: q[\s\S]*Unknown queue: q/);
    assert.ok(worker.isRunning);
  });

  it("answers soon while it sleeps after a failure, because its provider is dead", async () => {
    const waits = await set.member("waits", 1);
    await waits.command("create-leaf", "waits", waits.connstr, `--provider=${root.connstr}`);
    const locate = (location: string) =>
      waits.query("update pgq_node.node_location set node_location = $1 where node_name = 'root'", [
        location,
      ]);
    await locate("host=127.0.0.1 port=1 dbname=nowhere");
    await using worker = waits.startWorker({}, ["--set", "exception_sleep=600"]);
    await worker.waitForOutput(/ERROR .*127\.0\.0\.1/);
    await waits.command("pause", "--timeout=60");
    await locate(root.connstr);
    await waits.command("resume", "--timeout=60");
    await waitForTick(waits, await produce(root, []), worker);
    await root.command("drop-node", "waits");
  });

  it("refuses to run under a name that the node does not know", async () => {
    const other = await set.member("other", 1, ["consumer_name = somebody"]);
    await other.command("create-leaf", "other", other.connstr, `--provider=${root.connstr}`);
    await using worker = other.startWorker({}, ["--set", "consumer_name=nobody"]);
    await worker.waitForOutput(/Unknown consumer: q\/nobody/);
  });

  it("stops the queue at an event that nobody handles, and shows it in status", async () => {
    await using worker = leaf.startWorker();
    await produce(root, ["good", "poison"]);
    await waitFor("the stored error", async () =>
      /Unhandled event type in queue: poison/.test((await storedError()) ?? ""),
    );
    assert.equal((await leaf.applied()).at(-1)!.ev_type, "found");
    assert.match(
      (await root.command("status")).stdout,
      /ERR: leaf_worker: Unhandled event type in queue: poison/,
    );
    assert.ok(worker.isRunning);
  });

  const impossible: [string, string[], RegExp][] = [
    [
      "of another queue",
      ["pgq.location-info", "node", "other"],
      /^bad event in queue: .*names queue "other"/,
    ],
    ["that is a tick of the own queue", ["pgq.tick-id", "5", "q"], /^tick-id event for own queue\? /],
    ["of an unknown kind", ["pgq.news", "node", "q"], /^unknown cascade event: /],
  ];
  for (const [what, event, message] of impossible) {
    it(`stops at an event of the cascade ${what}`, async () => {
      const [batch] = await root.query("select next_tick from pgq.get_consumer_info('q', 'leaf_worker')");
      await leaf.query("select pgq_node.set_consumer_completed('q', 'leaf_worker', $1)", [batch!.next_tick]);
      await using worker = leaf.startWorker();
      await waitForBookmark();
      await root.query("select pgq.insert_event('q', $1, $2, $3, null, null, null)", event);
      await tick(root);
      await waitFor("the stored error", async () => message.test((await storedError()) ?? ""), {
        onTimeout: () => worker.outputTail(),
      });
    });
  }

  /** Waits until the provider knows what the leaf has finished. */
  async function waitForBookmark(): Promise<void> {
    const finished = await completedTick(leaf);
    await waitFor("the provider to know", async () => {
      const [row] = await root.query<{ tick: string }>(
        "select last_tick::text as tick from pgq.get_consumer_info('q', 'leaf_worker')",
      );
      return row!.tick === finished;
    });
  }
});
