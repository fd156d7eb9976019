import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Cluster, startCluster, waitFor } from "@skytools/testbed";
import { type ConsumerKind, ConsumerProcess } from "../fixture/consumer-process.js";
import { QueueDatabase } from "../fixture/queue-database.js";

interface Guarantee {
  readonly kind: ConsumerKind;
  readonly points: readonly string[];
  /** points after which a batch is repeated, where that is all that can be promised */
  readonly repeating: readonly string[];
}

const ofTarget = ["consumer.before-target-commit", "consumer.after-target-commit", "consumer.after-commit"];

/** kinds that put the event "again" into the retry queue */
const retrying: readonly ConsumerKind[] = ["plain", "coop", "remote"];

/* What spec/pgq-library.md A13 promises, class by class. */
const guarantees: readonly Guarantee[] = [
  {
    kind: "plain",
    points: [
      "consumer.before-process",
      "consumer.before-finish",
      "consumer.before-commit",
      "consumer.after-commit",
    ],
    repeating: [],
  },
  { kind: "coop", points: ["consumer.before-commit", "consumer.after-commit"], repeating: [] },
  { kind: "remote", points: ["consumer.after-tags", ...ofTarget], repeating: [] },
  { kind: "serial", points: ofTarget, repeating: [] },
  {
    kind: "local",
    points: [
      "consumer.before-tick-file",
      "tick-file.before-rename",
      "consumer.after-tick-file",
      "consumer.before-commit",
    ],
    repeating: ["consumer.before-tick-file", "tick-file.before-rename"],
  },
];

describe("a consumer that is killed and started again", () => {
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster[Symbol.asyncDispose]());

  for (const { kind, points, repeating } of guarantees) {
    for (const point of points) {
      it(`${kind}: loses nothing and applies ${repeating.includes(point) ? "one batch twice" : "all once"} after dying at ${point}`, async () => {
        const name = `${kind}_${point.replaceAll(/\W/g, "_")}`;
        const queue = await QueueDatabase.create(cluster, name);
        await using consumer = await ConsumerProcess.create(kind, {
          src_db: queue.connstr,
          dst_db: queue.connstr,
        });
        await queue.query("select pgq.register_consumer('q', 'c')");
        await queue.produce("first", "a");
        await queue.produce("second", "b", "again");
        // The tick file is written at the start too.
        const secondBatch = point.startsWith("tick-file") ? 3 : 2;
        // As in a module of an earlier release; only the second batch has tags.
        if (point === "consumer.after-tags") await queue.query("drop function pgq_ext.tag_events");
        const hit = point === "consumer.after-tags" ? 1 : secondBatch;
        await using victim = consumer.start({ SKYTOOLS_CRASH_POINT: `${point}=kill:${hit}` });
        const { signal } = await victim.exit;
        assert.equal(signal, "SIGKILL", victim.outputTail());
        await queue.produce("third");
        await using survivor = consumer.start();
        const seen = await waitFor(
          "the last event",
          async () => {
            const all = await queue.seen();
            return all.includes("third") && all;
          },
          { onTimeout: () => survivor.outputTail() },
        );
        const second = ["second", "b", "again"];
        const twice = repeating.includes(point) ? second : [];
        assert.deepEqual(seen, ["first", "a", ...second, ...twice, "third"]);
        if (retrying.includes(kind)) {
          assert.equal((await queue.query("select from pgq.retry_queue")).length, 1);
        }
        survivor.signal("SIGINT");
        assert.equal((await survivor.exit).code, 0);
        const log = survivor.stderrText().replaceAll(/WARNING Tick file is ahead of the queue.*/g, "");
        assert.doesNotMatch(log, /ERROR|WARN/);
      });
    }
  }
});
