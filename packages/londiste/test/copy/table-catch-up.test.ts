import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { CascadeRound } from "@skytools/pgq/cascade";
import { Database, type Job } from "@skytools/skytools";
import { type Cluster, moduleDatabase, startCluster } from "@skytools/testbed";
import { TableCatchUp } from "#src/copy/table-catch-up.js";
import { TakeOverQueue } from "#src/copy/take-over-queue.js";
import type { HandlerRegistry } from "#src/handler/handler-registry.js";

let cluster: Cluster;
let db: Database;

before(async () => {
  cluster = await startCluster();
  const connstr = await moduleDatabase(cluster, ["pgq", "pgq_node", "londiste"]);
  db = await Database.open(connstr, { autocommit: true });
  await db.execute("select pgq_node.register_location('q', 'root', 'dbname=x', false)");
  await db.execute("select pgq_node.create_node('q', 'root', 'root', 'worker', null, null, null)");
  await db.execute("update pgq.queue set queue_external_ticker = true");
  // one tick a second
  await db.execute(
    "select pgq.ticker('q', 100 + g, '2026-01-01'::timestamptz + g * interval '1 second', 1000 + g) from generate_series(1, 40) g",
  );
  await db.execute("select pgq.register_consumer_at('q', 'copy', 101)");
});

after(async () => {
  await db.close();
  await cluster[Symbol.asyncDispose]();
});

/** Where the copy's next batch ends. */
async function nextTick(copyTick: bigint, workerTick: bigint): Promise<bigint | null | undefined> {
  await db.query("update pgq_node.local_state set last_tick_id = $1 where consumer_name = 'worker'", [
    workerTick,
  ]);
  await db.query("update pgq.subscription set sub_batch = null, sub_next_tick = null, sub_last_tick = $1", [
    copyTick,
  ]);
  const catchUp = new TableCatchUp({} as Job, {
    queueName: "q",
    workerName: "worker",
    consumerName: "copy",
    table: "public.t",
    registry: {} as HandlerRegistry,
    takeOvers: new TakeOverQueue(),
    connectTarget: async () => {},
  });
  const round = { target: db, state: { completedTick: copyTick } } as CascadeRound;
  const span = await catchUp.span(round, db);
  const batch = await db.queryOne<{ tick: bigint | null }>(
    "select cur_tick_id as tick from pgq.next_batch_custom('q', 'copy', null, null, $1::interval)",
    [span ?? null],
  );
  return batch.tick;
}

test("a copy that is far behind the worker takes half of the ticks between at once, and never more than those", async () => {
  assert.equal(await nextTick(101n, 139n), 120n);
  assert.equal(await nextTick(120n, 139n), 130n);
  assert.equal(await nextTick(101n, 106n), 104n);
  // the worker has all there is
  assert.equal(await nextTick(100n + 1n, 140n), 121n);
  assert.equal(await nextTick(120n, 140n), 130n);
  // nearly there, there, and ahead
  assert.equal(await nextTick(136n, 139n), 137n);
  assert.equal(await nextTick(139n, 139n), 140n);
  assert.equal(await nextTick(120n, 110n), 121n);
});

test("a copy from a node that is behind the worker leaps as well, or it would never reach a worker that goes on", async () => {
  assert.equal(await nextTick(101n, 160n), 121n);
  assert.equal(await nextTick(130n, 160n), 135n);
  assert.equal(await nextTick(139n, 160n), 140n);
});
