import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { neverEnd, waitForWaiting } from "../waiting.ts";
import { batchData, call, consume, createEagerQueue, tick } from "./queue.ts";

/* In each test a program takes a lock, another one runs into it, and the program goes on to what the other one has by then, if the
 * order of its locks is not the program's. The server would end one of them. */

const fixture = databaseFixture(["pgq", "pgq_coop"]);

/** A queue with consumer `c`, two events, and two ticks after the first one; a program in a transaction; and further sessions. */
async function usedQueue(): Promise<{ db: Database; program: Database; other: Database; third: Database }> {
  const { db, another } = await fixture.database();
  await createEagerQueue(db, "q");
  await call(db, "pgq.register_consumer", "q", "c");
  for (const data of ["1", "2"]) await call(db, "pgq.insert_event", "q", "t", data);
  await tick(db, "q");
  await tick(db, "q");
  const [program, other, third] = [await another({ autocommit: false }), await another(), await another()];
  return { db, program, other, third };
}

/** What a program has when its queue is to be dropped, and what it wants then. */
const users: Readonly<Record<string, (db: Database, program: Database) => Promise<() => Promise<unknown>>>> =
  {
    "producer that has its sequence": async (_db, program) => {
      await program.query("select nextval('pgq.event_1_id_seq')");
      return () => call(program, "pgq.insert_event", "q", "t", "3");
    },
    "producer that has its table": async (_db, program) => {
      await program.query("lock table pgq.event_1_0 in row exclusive mode");
      return () => call(program, "pgq.insert_event", "q", "t", "3");
    },
    "consumer that reads a batch and finishes it": async (db, program) => {
      const batch = await call<bigint>(db, "pgq.next_batch", "q", "c");
      await batchData(program, batch);
      return () => call(program, "pgq.finish_batch", batch);
    },
    "consumer that opens a batch and reads it": async (_db, program) => {
      const batch = await call<bigint>(program, "pgq.next_batch", "q", "c");
      return () => batchData(program, batch);
    },
    "consumer that opens a batch and parks an event": async (_db, program) => {
      const batch = await call<bigint>(program, "pgq.next_batch", "q", "c");
      return () => program.query("select pgq.event_retry($1, 1, 0)", [batch]);
    },
  };

for (const [user, begin] of Object.entries(users)) {
  test(`a queue is dropped behind a ${user}`, async () => {
    const { db, program, other } = await usedQueue();
    await neverEnd(program);
    const goOn = await begin(db, program);
    const dropped = call<number>(other, "pgq.drop_queue", "q", true);
    await waitForWaiting(db, other);
    await goOn();
    await program.commit();
    equal(await dropped, 1);
    equal(await db.queryValue("select count(*) from pg_class where relname like 'event\\_1\\_%'"), 0n);
  });
}

test("a queue that stays in use is not dropped after the session's lock_timeout, which is as it was", async () => {
  const { db, program, other } = await usedQueue();
  await program.query("lock table pgq.event_1_0 in row exclusive mode");
  await other.execute("set lock_timeout = '300ms'");
  await rejects(call(other, "pgq.drop_queue", "q", true), { sqlState: "55P03" });
  await program.commit();
  await program.query("set local lock_timeout = '3s'");
  equal(await call(program, "pgq.drop_queue", "q", true), 1);
  equal(await call(program, "current_setting", "lock_timeout"), "3s");
  await program.rollback();
  deepEqual(await consume(db, "q", "c"), ["1", "2"]);
});

test("transaction numbers are reset beside a ticker", async () => {
  const { db, program, other, third } = await usedQueue();
  await program.query("lock table pgq.tick in access exclusive mode");
  const ticked = call<bigint>(other, "pgq.ticker", "q");
  await waitForWaiting(db, other);
  const reset = call<number>(third, "pgq.reset_txids", "q");
  await waitForWaiting(db, third);
  await program.commit();
  equal(typeof (await ticked), "bigint");
  equal(typeof (await reset), "number");
});

test("two queues are renamed in one transaction beside a ticker of both", async () => {
  const { db, program, other } = await usedQueue();
  await createEagerQueue(db, "r");
  await call(program, "pgq.rename_queue", "r", "s");
  let hasEnded = false;
  const ticked = call<bigint>(other, "pgq.ticker").finally(() => {
    hasEnded = true;
  });
  await waitForWaiting(db, other, () => hasEnded);
  await call(program, "pgq.rename_queue", "q", "p");
  await program.commit();
  equal(await ticked, 1n);
});

test("switches are confirmed in the order of the queues, wherever their rows lie", async () => {
  const { db, program, other } = await usedQueue();
  await createEagerQueue(db, "r");
  await db.execute("update pgq.queue set queue_switch_step2 = null");
  await db.execute("update pgq.queue set queue_ticker_paused = true where queue_name = 'q'");
  await program.query("select from pgq.queue where queue_name = 'q' for no key update");
  const confirmed = call<number>(other, "pgq.maint_rotate_tables_step2");
  await waitForWaiting(db, other);
  await program.query("select from pgq.queue where queue_name = 'r' for no key update");
  await program.commit();
  equal(await confirmed, 0);
  equal(await db.queryValue("select count(*) from pgq.queue where queue_switch_step2 is null"), 0n);
});

test("parked events that somebody removes hold up nobody", async () => {
  const { db, program, other } = await usedQueue();
  const batch = await call<bigint>(db, "pgq.next_batch", "q", "c");
  await db.query("select pgq.event_retry($1, 1, -1), pgq.event_retry($1, 2, -1)", [batch]);
  await program.query("delete from pgq.retry_queue where ev_id = 2");
  await other.execute("set lock_timeout = '5s'");
  equal(await call(other, "pgq.maint_retry_events"), 1);
  await program.rollback();
  equal(await call(other, "pgq.maint_retry_events"), 1);
  equal(await call(other, "pgq.maint_retry_events"), 0);
});

test("a consumer is removed behind one who moves it", async () => {
  const { db, program, other } = await usedQueue();
  await program.query("select from pgq.consumer where co_name = 'c' for no key update");
  const removed = call<number>(other, "pgq.unregister_consumer", "q", "c");
  await waitForWaiting(db, other);
  equal(await call(program, "pgq.register_consumer_at", "q", "c", 2), 0);
  await program.commit();
  equal(await removed, 1);
  equal(await call(db, "pgq.unregister_consumer", "q", "c"), 0);
});

test("a consumer that opens a batch and finishes it in one transaction does not wait for one who moves it", async () => {
  const { db, program, other } = await usedQueue();
  const batch = await call<bigint>(program, "pgq.next_batch", "q", "c");
  const moved = call<number>(other, "pgq.register_consumer_at", "q", "c", 1);
  await waitForWaiting(db, other);
  equal(await call(program, "pgq.finish_batch", batch), 1);
  await program.commit();
  equal(await moved, 0);
});

test("a new member waits for one who moves its group without keeping that from it", async () => {
  const { db, program, other } = await usedQueue();
  await program.query("select from pgq.consumer where co_name = 'c' for no key update");
  const batch = call<bigint | null>(other, "pgq_coop.next_batch", "q", "c", "a");
  await waitForWaiting(db, other);
  equal(await call(program, "pgq.register_consumer_at", "q", "c", 3), 0);
  await program.commit();
  equal(await batch, null);
});

test("a group is removed behind a member that finishes a batch and opens the next", async () => {
  const { db, program, other } = await usedQueue();
  const first = await call<bigint>(db, "pgq_coop.next_batch", "q", "c", "a");
  equal(await call(program, "pgq_coop.finish_batch", first), 1);
  const removed = call<number>(other, "pgq.unregister_consumer", "q", "c");
  await waitForWaiting(db, other);
  equal(await call(program, "pgq_coop.next_batch", "q", "c", "a"), first + 1n);
  await program.commit();
  equal(await removed, 2);
});
