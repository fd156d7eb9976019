import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { batchData, call, consume, createEagerQueue, rotate, tick } from "./queue.ts";

const fixture = databaseFixture(["pgq"]);

async function openBatch(db: Database): Promise<bigint> {
  await tick(db, "q");
  return call(db, "pgq.next_batch", "q", "c");
}

async function queueWithEvents(...data: readonly string[]): Promise<{ db: Database; batch: bigint }> {
  const { db } = await fixture.database();
  await createEagerQueue(db, "q");
  await call(db, "pgq.register_consumer", "q", "c");
  await call(db, "pgq.register_consumer", "q", "other");
  for (const item of data) await call(db, "pgq.insert_event", "q", "type", item, "e1", "e2", "e3", "e4");
  return { db, batch: await openBatch(db) };
}

const retry = (db: Database, batch: bigint | null, event: number, seconds = 0): Promise<unknown> =>
  db.queryValue(`select pgq.event_retry($1, $2, $3::integer)`, [batch, event, seconds]);

test("a parked event comes back to its consumer only, with its id, time and fields", async () => {
  const { db, batch } = await queueWithEvents("a", "b");
  const events = (of: bigint): Promise<object[]> =>
    db.query(
      "select ev_id, ev_time::text, ev_type, ev_data, ev_extra1, ev_extra4, ev_retry from pgq.get_batch_events($1)",
      [of],
    );
  const [, original] = await events(batch);
  equal(await retry(db, batch, 2), 1);
  equal(await retry(db, batch, 2), 0);
  await rejects(retry(db, batch, 99), /event not found/);
  await rejects(retry(db, 99n, 1), /event not found/);
  await rejects(retry(db, null, 1), /event not found/);
  await call(db, "pgq.finish_batch", batch);
  await consume(db, "q", "other");
  equal(await call(db, "pgq.maint_retry_events"), 1);
  equal(await call(db, "pgq.maint_retry_events"), 0);
  const second = await openBatch(db);
  deepEqual(await events(second), [{ ...original, ev_retry: 1 }]);
  equal(await retry(db, second, 2), 1);
  await call(db, "pgq.finish_batch", second);
  deepEqual(await consume(db, "q", "other"), []);
  await call(db, "pgq.maint_retry_events");
  deepEqual(await events(await openBatch(db)), [{ ...original, ev_retry: 2 }]);
});

test("parked events wait for their time, ten move at once", async () => {
  const { db, batch } = await queueWithEvents(...Array.from({ length: 25 }, (_, n) => `event ${n}`));
  equal(await retry(db, batch, 1, 1000), 1);
  equal(await call(db, "pgq.batch_retry", batch, 0), 24);
  equal(await call(db, "pgq.batch_retry", batch, 0), 0);
  await rejects(call(db, "pgq.batch_retry", 99n, 0), /batch_retry: batch 99 not found/);
  await call(db, "pgq.finish_batch", batch);
  const moved = [];
  for (let n = 0; n < 4; n++) moved.push(await call(db, "pgq.maint_retry_events"));
  deepEqual(moved, [10, 10, 4, 0]);
  await tick(db, "q");
  equal((await consume(db, "q", "c"))?.length, 24);
  equal(await call(db, "pgq.unregister_consumer", "q", "c"), 1);
  equal(await db.queryValue("select count(*) from pgq.retry_queue"), 0n);
});

test("an event of any origin is parked by hand", async () => {
  const { db } = await queueWithEvents();
  const raw =
    "select pgq.event_retry_raw('q', $1, now(), $2, now(), 0, 'raw', 'data', null, null, null, null)";
  equal(await db.queryValue(raw, ["c", 666]), 666n);
  await rejects(db.query(raw, ["c", 666]), /rq_pkey/);
  equal(await db.queryValue(raw, ["c", null]), 1n);
  await rejects(db.query(raw, ["nobody", 1]), /consumer not registered/);
});

test("queues that take no events keep theirs parked and hold nobody up", async () => {
  const { db, batch } = await queueWithEvents("a", "b", "c");
  await createEagerQueue(db, "r");
  await call(db, "pgq.register_consumer", "r", "c");
  await call(db, "pgq.batch_retry", batch, -10);
  await db.query(
    "select pgq.event_retry_raw('r', 'c', now(), 1, now(), 0, 't', 'r', null, null, null, null)",
  );
  await db.execute("update pgq.queue set queue_disable_insert = true where queue_name = 'q'");
  equal(await call(db, "pgq.maint_retry_events"), 1);
  equal(await call(db, "pgq.maint_retry_events"), 0);
  await db.execute("set session_replication_role = replica");
  await db.execute("update pgq.queue set queue_per_tx_limit = 2 where queue_name = 'q'");
  deepEqual([await call(db, "pgq.maint_retry_events"), await call(db, "pgq.maint_retry_events")], [2, 1]);
});

test("a failed event is kept with its reason until it is deleted or retried", async () => {
  const { db, batch } = await queueWithEvents("a", "b", "c");
  equal(await call(db, "pgq.event_failed", batch, 1n, "bad row"), 1);
  equal(await call(db, "pgq.event_failed", batch, 1n, "again"), 0);
  equal(await call(db, "pgq.event_failed", batch, 3n, null), 1);
  await rejects(call(db, "pgq.event_failed", batch, 99n, "x"), /event not found/);
  await call(db, "pgq.finish_batch", batch);
  const list = (...args: number[]): Promise<object[]> =>
    db.query(
      `select ev_failed_reason, ev_id, ev_data, ev_extra4 from pgq.failed_event_list('q', 'c'${args.map((a) => `, ${a}`).join("")})`,
    );
  const [first, third] = [
    { ev_failed_reason: "bad row", ev_id: 1n, ev_data: "a", ev_extra4: "e4" },
    { ev_failed_reason: null, ev_id: 3n, ev_data: "c", ev_extra4: "e4" },
  ];
  deepEqual(await list(), [first, third]);
  deepEqual(await list(1, 0), [first]);
  deepEqual(await list(5, 1), [third]);
  equal(await call(db, "pgq.failed_event_count", "q", "c"), 2);
  equal(await call(db, "pgq.failed_event_count", "q", "other"), 0);
  await rejects(call(db, "pgq.failed_event_count", "q", "nobody"), /consumer not registered/);

  equal(await call(db, "pgq.failed_event_retry", "q", "c", 1n), 1n);
  await rejects(call(db, "pgq.failed_event_retry", "q", "c", 1n), /event not found/);
  equal(await call(db, "pgq.failed_event_delete", "q", "c", 3n), 1);
  equal(await call(db, "pgq.failed_event_delete", "q", "c", 3n), 0);
  equal(await call(db, "pgq.maint_retry_events"), 1);
  deepEqual(await batchData(db, await openBatch(db)), ["a"]);
});

test("an event beyond its queue's retry limit fails by itself, after ever longer waits", async () => {
  const { db, batch } = await queueWithEvents("a");
  await call(db, "pgq.set_queue_config", "q", "retry_limit", "3");
  await call(db, "pgq.set_queue_config", "q", "retry_delay", "100 s");
  let current = batch;
  const waits = [];
  for (let n = 0; n < 3; n++) {
    equal(await db.queryValue("select pgq.event_retry($1, 1)", [current]), 1);
    waits.push(
      await db.queryValue(
        "select round(extract(epoch from ev_retry_after - now()) / 100)::int from pgq.retry_queue",
      ),
    );
    await call(db, "pgq.finish_batch", current);
    await db.execute("update pgq.retry_queue set ev_retry_after = now()");
    equal(await call(db, "pgq.maint_retry_events"), 1);
    current = await openBatch(db);
  }
  deepEqual(waits, [1, 2, 4]);
  equal(await db.queryValue("select pgq.event_retry($1, 1)", [current]), 1);
  await call(db, "pgq.finish_batch", current);
  equal(await db.queryValue("select count(*) from pgq.retry_queue"), 0n);
  deepEqual(await db.query("select ev_failed_reason, ev_retry from pgq.failed_event_list('q', 'c')"), [
    { ev_failed_reason: "retry limit of 3 reached", ev_retry: 3 },
  ]);
  // Rotation does not wait for it.
  for (let n = 0; n < 3; n++) {
    await tick(db, "q");
    await consume(db, "q", "c");
    await consume(db, "q", "other");
    await consume(db, "q", "other");
    await rotate(db, "q");
  }
  equal(await call(db, "pgq.failed_event_count", "q", "c"), 1);
  await call(db, "pgq.drop_queue", "q", true);
  equal(await db.queryValue("select count(*) from pgq.failed_queue"), 0n);
});

test("many events are parked by one call, those at the limit fail, and a wrong id parks none", async () => {
  const { db, batch } = await queueWithEvents("a", "b", "c", "d");
  const retryMany = (of: bigint, ids: readonly number[], seconds: readonly (number | null)[]) =>
    db.queryValue<number>("select pgq.retry_events($1::int8, $2::int8[], $3::int4[])", [of, ids, seconds]);
  await rejects(retryMany(batch, [1, 99], [0, 0]), /event not found/);
  await rejects(retryMany(batch, [1], [0, 0]), /same length/);
  await rejects(retryMany(99n, [1], [0]), /batch not found/);
  equal(await retryMany(batch, [], []), 0);
  equal(await retryMany(batch, [1, 2, 2, 3], [0, 5000, 0, null]), 3);
  equal(await retryMany(batch, [1, 3], [0, 0]), 0);
  const parked = await db.query(
    `select ev_id::int4 as id, ev_retry,
            extract(epoch from ev_retry_after - min(ev_retry_after) over ())::int4 as later
       from pgq.retry_queue order by 1`,
  );
  deepEqual(
    parked.map((row) => Object.values(row)),
    [
      [1, 1, 0],
      [2, 1, 0],
      [3, 1, 10],
    ],
  );
  await call(db, "pgq.finish_batch", batch);
  equal(await call(db, "pgq.maint_retry_events"), 2);
  await call(db, "pgq.set_queue_config", "q", "retry_limit", "1");
  const second = await openBatch(db);
  equal(await retryMany(second, [1, 2], [0, 0]), 2);
  equal(await retryMany(second, [1, 2], [0, 0]), 0);
  deepEqual(
    (await db.query("select ev_id, ev_failed_reason as why from pgq.failed_event_list('q', 'c')")).map(
      (row) => Object.values(row),
    ),
    [
      [1n, "retry limit of 1 reached"],
      [2n, "retry limit of 1 reached"],
    ],
  );
});

test("many events are given up by one call, each for its reason", async () => {
  const { db, batch } = await queueWithEvents("a", "b", "c");
  const failMany = (ids: readonly number[], reasons: readonly string[]) =>
    db.queryValue<number>("select pgq.fail_events($1::int8, $2::int8[], $3::text[])", [batch, ids, reasons]);
  await rejects(failMany([1, 99], ["x", "y"]), /event not found/);
  equal(await failMany([3, 1], ['third, "quoted"', "first"]), 2);
  equal(await failMany([3, 2], ["again", "second"]), 1);
  const failed = await db.query("select ev_id, ev_failed_reason from pgq.failed_event_list('q', 'c')");
  deepEqual(
    failed.map((row) => Object.values(row)),
    [
      [1n, "first"],
      [2n, "second"],
      [3n, 'third, "quoted"'],
    ],
  );
});
