import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { batchData, call, consume, createEagerQueue, rotate, tick } from "./queue.ts";

const fixture = databaseFixture(["pgq"]);

/** Makes the database look as if its numbers came from a cluster that is far ahead. */
async function moveFromOlderCluster(db: Database): Promise<void> {
  await db.execute(`
    update pgq.event_1 set ev_txid = ev_txid + 1000000000000;
    update pgq.queue set queue_switch_step1 = queue_switch_step1 + 1000000000000,
                         queue_switch_step2 = queue_switch_step2 + 1000000000000;
    update pgq.tick set tick_snapshot = (
      select (txid_snapshot_xmin(tick_snapshot) + 1000000000000) || ':' || (txid_snapshot_xmax(tick_snapshot) + 1000000000000)
             || ':' || coalesce((select string_agg((x + 1000000000000)::text, ',' order by x)
                                   from txid_snapshot_xip(tick_snapshot) x), ''))::txid_snapshot`);
}

async function drain(db: Database, consumer: string): Promise<string[]> {
  const seen = [];
  for (
    let batch = await consume(db, "q", consumer);
    batch !== null;
    batch = await consume(db, "q", consumer)
  ) {
    seen.push(...batch);
  }
  return seen;
}

test("a queue restored into a younger cluster goes on, without loss and without repetition", async () => {
  const { db, another } = await fixture.database();
  await createEagerQueue(db, "q");
  for (const name of ["behind", "in batch", "done"]) await call(db, "pgq.register_consumer", "q", name);
  const insert = (data: string, by = db): Promise<unknown> => call(by, "pgq.insert_event", "q", "t", data);
  const long = await another({ autocommit: false });
  await insert("long 1", long);
  await insert("a");
  await tick(db, "q");
  deepEqual(await consume(db, "q", "in batch"), ["a"]);
  deepEqual(await consume(db, "q", "done"), ["a"]);
  await insert("b");
  await insert("long 2", long);
  await long.commit();
  await tick(db, "q");
  const open = await call<bigint>(db, "pgq.next_batch", "q", "in batch");
  deepEqual(await consume(db, "q", "done"), ["long 1", "b", "long 2"]);
  await insert("c");
  await tick(db, "q");
  await insert("not ticked yet");

  await moveFromOlderCluster(db);
  await rejects(
    call(db, "pgq.ticker", "q"),
    (error: { hint?: string; message: string }) =>
      /Invalid PgQ state/.test(error.message) && /pgq\.reset_txids/.test(error.hint ?? ""),
  );
  equal(await call(db, "pgq.reset_txids", "q"), 4);
  equal(await call(db, "pgq.reset_txids", "q"), 4);
  await tick(db, "q");
  await insert("new");
  await tick(db, "q");
  deepEqual(await batchData(db, open), ["long 1", "b", "long 2"]);
  equal(await call(db, "pgq.finish_batch", open), 1);
  deepEqual(await drain(db, "behind"), ["a", "long 1", "b", "long 2", "c", "not ticked yet", "new"]);
  deepEqual(await drain(db, "in batch"), ["c", "not ticked yet", "new"]);
  deepEqual(await drain(db, "done"), ["c", "not ticked yet", "new"]);
  for (let n = 0; n < 4; n++) {
    await rotate(db, "q");
    await insert(`rotated ${n}`);
    await tick(db, "q");
    for (const name of ["behind", "in batch", "done"]) deepEqual(await drain(db, name), [`rotated ${n}`]);
  }
  await rejects(call(db, "pgq.reset_txids", "nosuch"), /No such event queue/);
});

test("ids restored without their sequences are not given again", async () => {
  const { db } = await fixture.database();
  await createEagerQueue(db, "q");
  await call(db, "pgq.register_consumer", "q", "c");
  await db.execute(`select setval('pgq.queue_queue_id_seq', 1, false), setval('pgq.consumer_co_id_seq', 1, false),
                           setval('pgq.subscription_sub_id_seq', 1, false)`);
  await call(db, "pgq.upgrade_schema");
  equal(await call(db, "pgq.create_queue", "r"), 1);
  equal(await call(db, "pgq.register_consumer", "r", "d"), 1);
});
