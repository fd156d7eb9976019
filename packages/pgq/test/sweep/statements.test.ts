import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Cluster, startCluster, waitFor } from "@skytools/testbed";
import { ConsumerProcess } from "../fixture/consumer-process.js";
import { QueueDatabase } from "../fixture/queue-database.js";

let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
});
after(() => cluster[Symbol.asyncDispose]());

// With pgq_autocommit the position, what is done with each event and the end of a batch are transactions of their own.
test("a consumer in autocommit mode that dies after any of its statements loses nothing", async () => {
  const queue = await QueueDatabase.create(cluster, "autocommit");
  await using consumer = await ConsumerProcess.create("plain", {
    src_db: queue.connstr,
    dst_db: queue.connstr,
    pgq_autocommit: 1,
    pgq_lazy_fetch: 0,
  });
  await queue.query("select pgq.register_consumer('q', 'c')");
  const produced: string[] = [];
  for (let hit = 1; hit <= 5; hit += 1) {
    const events = [`${hit} a`, `${hit} b`];
    produced.push(...events);
    await queue.produce(...events);
    await using victim = consumer.start({ SKYTOOLS_CRASH_POINT: `database.after-statement=kill:${hit}` });
    assert.equal((await victim.exit).signal, "SIGKILL", victim.outputTail());
  }
  await queue.produce("last");
  await using survivor = consumer.start();
  const seen = await waitFor(
    "the last event",
    async () => {
      const all = await queue.seen();
      return all.includes("last") && all;
    },
    { onTimeout: () => survivor.outputTail() },
  );
  // Again from the beginning of a batch, which may be all of it.
  assert.deepEqual([...new Set(seen)], [...produced, "last"]);
  assert.ok(seen.length > produced.length + 1, "none was repeated: it was not killed within a batch");
});
