import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import { databaseFixture, type Session } from "../fixture.ts";
import { batchData, call, consume, createEagerQueue, currentTable, tick } from "../pgq/queue.ts";

const fixture = databaseFixture(["pgq", "pgq_coop"]);

async function coopQueue(): Promise<Session> {
  const session = await fixture.database();
  await createEagerQueue(session.db, "q");
  return session;
}

async function tickWith(db: Database, ...data: readonly string[]): Promise<void> {
  for (const item of data) await call(db, "pgq.insert_event", "q", "t", item);
  await tick(db, "q");
}

const next = (db: Database, name: string, dead?: string): Promise<bigint | null> =>
  dead === undefined
    ? call(db, "pgq_coop.next_batch", "q", "main", name)
    : call(db, "pgq_coop.next_batch", "q", "main", name, dead);
const finish = (db: Database, batch: bigint): Promise<number> => call(db, "pgq_coop.finish_batch", batch);
const backDate = (db: Database, where = "sub_batch is not null"): Promise<void> =>
  db.execute(`update pgq.subscription set sub_active = sub_active - interval '2 hours' where ${where}`);

test("members get different batches and read them by their numbers", async () => {
  const { db } = await coopQueue();
  equal(await call(db, "pgq_coop.register_subconsumer", "q", "main", "a"), 1);
  equal(await call(db, "pgq_coop.register_subconsumer", "q", "main", "a"), 0);
  equal(await call(db, "pgq_coop.register_subconsumer", "q", "main", "b"), 1);
  equal(await next(db, "a"), null);
  await tickWith(db, "1", "2");
  equal(await next(db, "a"), 1n);
  equal(await next(db, "a"), 1n);
  equal(await next(db, "b"), null);
  await tickWith(db, "3");
  equal(await next(db, "b"), 2n);
  deepEqual(await batchData(db, 2n), ["3"]);
  equal(await finish(db, 2n), 1);
  equal(await finish(db, 2n), 0);
  deepEqual(await batchData(db, 1n), ["1", "2"]);
  deepEqual(await db.query("select consumer_name, last_tick, current_batch from pgq.get_consumer_info()"), [
    { consumer_name: "main", last_tick: 3n, current_batch: null },
    { consumer_name: "main.a", last_tick: 1n, current_batch: 1n },
    { consumer_name: "main.b", last_tick: null, current_batch: null },
  ]);
});

test("the batch of a dead member goes to another one under the same number", async () => {
  const { db } = await coopQueue();
  await next(db, "a");
  await next(db, "b");
  await tickWith(db, "x");
  equal(await next(db, "a"), 1n);
  equal(await next(db, "b", "1 hour"), null);
  await backDate(db);
  equal(await next(db, "b", "1 hour"), 1n);
  deepEqual(await batchData(db, 1n), ["x"]);
  equal(await call(db, "pgq_coop.unregister_subconsumer", "q", "main", "a", 0), 0);
  await rejects(
    call(db, "pgq_coop.unregister_subconsumer", "q", "main", "b", 0),
    /subconsumer has active batch/,
  );
  equal(await call(db, "pgq_coop.unregister_subconsumer", "q", "main", "b", 1), 1);
  equal(await call(db, "pgq_coop.unregister_subconsumer", "q", "main", "b", 0), 0);
});

test("a member that is just finishing is no dead one: its batch is not handed on once more", async () => {
  const { db, another } = await coopQueue();
  await next(db, "a");
  await next(db, "b");
  await tickWith(db, "x");
  equal(await next(db, "a"), 1n);
  await backDate(db);
  const [first, second] = await Promise.all([another({ autocommit: false }), another()]);
  equal(await finish(first, 1n), 1);
  let isAnswered = false;
  const answer = next(second, "b", "1 hour").finally(() => {
    isAnswered = true;
  });
  await waitFor("the other member's call", async () => {
    const waiting = "select count(*) > 0 from pg_locks where pid = $1 and not granted";
    return isAnswered || (await db.queryValue<boolean>(waiting, [second.backendPid]));
  });
  await first.commit();
  equal(await answer, null);
  equal(await next(second, "b", "1 hour"), null);
});

test("a dead member without a batch is removed, and comes back with its next call", async () => {
  const { db } = await coopQueue();
  await next(db, "a");
  await next(db, "b");
  await tickWith(db, "x");
  await backDate(db, "sub_last_tick is null");
  equal(await next(db, "a", "1 hour"), 1n);
  const members = (): Promise<unknown> => db.queryValue("select count(*) from pgq.get_consumer_info('q')");
  equal(await members(), 2n);
  equal(await next(db, "b", "1 hour"), null);
  equal(await members(), 3n);
});

test("unknown consumers are registered by their first call", async () => {
  const { db } = await coopQueue();
  equal(await next(db, "a"), null);
  equal(await next(db, "b"), null);
  equal(await call(db, "pgq.unregister_consumer", "q", "main.b"), 1);
  equal(await call(db, "pgq.unregister_consumer", "q", "main"), 2);
  deepEqual(await db.query("select * from pgq.get_consumer_info()"), []);
  await rejects(call(db, "pgq_coop.next_batch", "nosuch", "main", "a"), /Event queue not created yet/);
  await rejects(
    call(db, "pgq_coop.register_subconsumer", "q", "main", null),
    /null value in column "co_name"/,
  );
});

test("ordinary calls on the main consumer stop the group", async () => {
  const { db } = await coopQueue();
  await next(db, "a");
  await tickWith(db, "x");
  await call(db, "pgq.next_batch", "q", "main");
  await rejects(next(db, "a"), /main consumer has batch open\?/);
  await rejects(call(db, "pgq.next_batch", "q", "main.a"), /does not see tick <NULL>/);
});

test("retried events come to whichever member is next", async () => {
  const { db } = await coopQueue();
  await next(db, "a");
  await tickWith(db, "x", "y");
  const batch = (await next(db, "a"))!;
  equal(await db.queryValue("select pgq.event_retry($1, 2, 0)", [batch]), 1);
  await finish(db, batch);
  await call(db, "pgq.maint_retry_events");
  await tickWith(db);
  deepEqual(await batchData(db, (await next(db, "b"))!), ["y"]);
});

test("a batch closed by pgq.finish_batch neither stops rotation nor endangers the group", async () => {
  const { db } = await coopQueue();
  await next(db, "a");
  await next(db, "b");
  await tickWith(db, "x");
  const batch = (await next(db, "a"))!;
  equal(await call(db, "pgq.finish_batch", batch), 1);
  await call(db, "pgq.set_queue_config", "q", "rotation_period", "0");
  for (const table of [1, 2, 0]) {
    await tickWith(db);
    await finish(db, (await next(db, "b"))!);
    await tickWith(db);
    await finish(db, (await next(db, "b"))!);
    await call(db, "pgq.maint_rotate_tables_step1", "q");
    await call(db, "pgq.maint_rotate_tables_step2");
    equal(await currentTable(db, "q"), table);
  }
  equal(await call(db, "pgq.unregister_consumer", "q", "main.a"), 1);
  equal(await db.queryValue("select count(*) from pgq.get_consumer_info('q')"), 2n);
});

test("an open batch of a member holds rotation up", async () => {
  const { db } = await coopQueue();
  await next(db, "a");
  await tickWith(db, "kept");
  const batch = (await next(db, "a"))!;
  await call(db, "pgq.set_queue_config", "q", "rotation_period", "0");
  for (let n = 0; n < 5; n++) {
    await tickWith(db);
    await finish(db, (await next(db, "b"))!);
    await call(db, "pgq.maint_rotate_tables_step1", "q");
    await call(db, "pgq.maint_rotate_tables_step2");
  }
  deepEqual(await batchData(db, batch), ["kept"]);
});

test("members that ask at once get one batch each", async () => {
  const { db, another } = await coopQueue();
  for (let n = 0; n < 6; n++) await next(db, `m${n}`);
  for (let n = 0; n < 6; n++) await tickWith(db, `event ${n}`);
  const sessions = await Promise.all(Array.from({ length: 6 }, () => another()));
  const batches = await Promise.all(sessions.map((session, n) => next(session, `m${n}`)));
  equal(new Set(batches).size, 6);
  const events = await Promise.all(batches.map((batch) => batchData(db, batch!)));
  deepEqual(
    events.flat().sort(),
    Array.from({ length: 6 }, (_, n) => `event ${n}`),
  );
  for (const batch of batches) await finish(db, batch!);
  equal(await next(db, "m0"), null);
  await call(db, "pgq.register_consumer", "q", "plain");
  await tickWith(db, "for all");
  deepEqual(await consume(db, "q", "plain"), ["for all"]);
});
