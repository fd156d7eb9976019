import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import {
  answer,
  createRoot,
  createSubscriber,
  queueEvents,
  queuePositions,
  registerLocations,
  row,
  tickEagerly,
} from "./node.ts";

const fixture = databaseFixture(["pgq", "pgq_node"]);

async function rootWithTicks(ticks: number): Promise<Database> {
  const { db } = await fixture.database();
  await createRoot(db, "q");
  await tickEagerly(db);
  for (let made = 1; made < ticks; made += 1) await db.query("select pgq.ticker('q')");
  return db;
}

async function addSubscriber(db: Database, node: string): Promise<void> {
  await registerLocations(db, "q", node);
  equal(
    await answer(db, "pgq_node.register_subscriber", "q", node, `${node}_worker`, null),
    `200 "Subscriber registered: ${node}"`,
  );
}

test("a subscriber's watermark moves forward only, to ticks that exist", async () => {
  const db = await rootWithTicks(3);
  await addSubscriber(db, "n2");
  const set = (node: string, tick: bigint): Promise<string> =>
    answer(db, "pgq_node.set_subscriber_watermark", "q", node, tick);
  equal(await set("n2", 3n), '200 ".n2.watermark set to 3"');
  equal(await set("n2", 3n), '100 "watermark already set"');
  equal(await set("n2", 2n), '405 "watermark must not be moved backwards"');
  equal(await set("n9", 2n), '404 "node n9 not subscribed to queue "');
  await rejects(set("n2", 99n), /cannot reposition, tick not found: 99/);
  deepEqual(await queuePositions(db, "q"), [".global_watermark 1", ".n2.watermark 3", "n2_worker 1"]);
});

test("a root publishes the lowest position of all consumers, or its newest tick without any", async () => {
  const db = await rootWithTicks(3);
  await db.query("select pgq.insert_event('q', 'before', '')");
  equal(await answer(db, "pgq_node.set_global_watermark", "q", null), '200 "Global watermark set to 3"');
  await addSubscriber(db, "n2");
  for (let more = 0; more < 3; more += 1) await db.query("select pgq.ticker('q')");
  await db.query("select pgq.register_consumer_at('q', 'reader', 5)");
  await answer(db, "pgq_node.set_subscriber_watermark", "q", "n2", 4n);
  await db.query("select pgq.register_consumer_at('q', 'n2_worker', 6)");
  equal(await answer(db, "pgq_node.set_global_watermark", "q", null), '200 "Global watermark set to 4"');
  deepEqual(
    (await queueEvents(db, "q")).filter(([type]) => type === "pgq.global-watermark"),
    [
      ["pgq.global-watermark", "3", "q"],
      ["pgq.global-watermark", "4", "q"],
    ],
  );
  const info = await row(db, "pgq_node.get_node_info", "q");
  deepEqual([info.global_watermark, info.local_watermark], [4n, 4n]);
  equal((await row(db, "pgq_node.get_worker_state", "q")).completed_tick, 4n);
});

test("a branch stores the watermark when it has the tick, a leaf ignores it", async () => {
  const { db } = await fixture.database();
  await createSubscriber(db, "q", "branch", 10n);
  const set = (queue: string, tick: bigint | null): Promise<string> =>
    answer(db, "pgq_node.set_global_watermark", queue, tick);
  equal(await set("q", null), '500 "bad usage: wm=null on branch node"');
  equal(await set("q", 9n), '200 "Skipping global watermark update to 9"');
  equal(await set("q", 1n), '200 "Global watermark set to 1"');
  deepEqual(await queuePositions(db, "q"), [".global_watermark 1"]);
  await createSubscriber(db, "lq", "leaf", 1n);
  equal(await set("lq", 5n), '100 "Ignoring global watermark in leaf"');
  equal(await set("zq", 5n), '404 "Queuezq not found"');
});

test("the watermark of an idle root is published by maintenance", async () => {
  const db = await rootWithTicks(3);
  equal(await db.queryValue("select pgq_node.maint_watermark('q')"), 0);
  deepEqual(await queueEvents(db, "q"), []);
  await db.execute("update pgq.tick set tick_time = now() - interval '6 minutes' where tick_id = 1");
  equal(await db.queryValue("select pgq_node.maint_watermark('q')"), 0);
  deepEqual(await queueEvents(db, "q"), [["pgq.global-watermark", "3", "q"]]);
  equal(await db.queryValue("select pgq_node.maint_watermark('no such queue')"), 0);
});

test("a merge-leaf follows the tick that its combined branch contains", async () => {
  const { db } = await fixture.database();
  await createSubscriber(db, "combined", "branch", 1n);
  await createSubscriber(db, "part", "leaf", 13n, "combined");
  await createSubscriber(db, "alone", "leaf", 13n);
  const set = (part: string): Promise<string> =>
    answer(db, "pgq_node.set_partition_watermark", "combined", part, 20n);
  equal(await set("part"), '200 "Ok"');
  equal((await row(db, "pgq_node.get_worker_state", "part")).completed_tick, 20n);
  equal(await set("alone"), '201 "Part-queue does not exist"');
  equal(await set("nowhere"), '201 "Part-queue does not exist"');
  await db.execute("delete from pgq_node.local_state where queue_name = 'part'");
  equal(await set("part"), '401 "Worker registration not found"');
});
