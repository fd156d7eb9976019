import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import { databaseFixture } from "../fixture.ts";
import { call, consume, createEagerQueue, tick } from "./queue.ts";

const fixture = databaseFixture(["pgq"]);

/** Lets the ticks of queue 1 look as if they were made some seconds ago. */
async function setTicks(db: Database, agesSeconds: readonly number[]): Promise<void> {
  await db.execute("delete from pgq.tick where tick_queue = 1");
  for (const [at, age] of agesSeconds.entries()) {
    await db.query(
      "insert into pgq.tick (tick_queue, tick_id, tick_time, tick_event_seq) values (1, $1, now() - $2 * interval '1s', 100)",
      [at + 1, age],
    );
  }
  await db.execute("select setval('pgq.event_1_tick_seq', 10), setval('pgq.event_1_id_seq', 100)");
}

/** Defaults of a queue: 500 events, 3 s, idle 60 s. The newest tick has event number 100. */
const decisions: readonly (readonly [what: string, ages: readonly number[], seq: number, ticks: boolean])[] =
  [
    ["no tick exists yet", [], 100, true],
    ["only one tick exists", [0.1], 100, true],
    ["few events, young tick", [10, 2], 150, false],
    ["few events, old tick", [10, 3], 150, true],
    ["many events, young tick", [10, 0.01], 600, true],
    ["one event less than many", [10, 0.01], 599, false],
    ["idle, younger than half of the lag", [1.5, 1.4], 100, false],
    ["idle, older than twice the distance before", [2.5, 2], 100, true],
    ["idle, younger than twice the distance before", [11, 5], 100, false],
    ["idle, as old as the idle period", [200, 60], 100, true],
    ["the clock was set back, few events", [-3590, -3600], 101, true],
    ["the clock was set back, idle", [-3590, -3600], 100, true],
    ["the clock was set back a little, few events", [10, -2], 101, false],
    ["the event sequence went back", [11, 5], 90, false],
    ["the event sequence went back, idle for long", [200, 60], 90, true],
  ];

test("a tick is made when it is due", async () => {
  const { db } = await fixture.database();
  await call(db, "pgq.create_queue", "q");
  for (const [what, ages, seq, isDue] of decisions) {
    // In one transaction time stands still: ages are exact.
    const made = await db.transaction(async () => {
      await setTicks(db, ages);
      await db.execute(`select setval('pgq.event_1_id_seq', ${seq})`);
      return await call<bigint | null>(db, "pgq.ticker", "q");
    });
    equal(made, isDue ? 11n : null, what);
    if (!isDue) continue;
    equal(await db.queryValue("select tick_event_seq from pgq.tick where tick_id = 11"), BigInt(seq), what);
  }
});

test("an idle queue ticks at doubling distances", async () => {
  const { db } = await fixture.database();
  await call(db, "pgq.create_queue", "q");
  const ticksAt = [0];
  for (let second = 1; second <= 190; second++) {
    const newest = await db.transaction(async () => {
      const ages = ticksAt.slice(-2).map((at) => second - at);
      await setTicks(db, ages);
      return await call<bigint | null>(db, "pgq.ticker", "q");
    });
    if (newest !== null) ticksAt.push(second);
  }
  deepEqual(ticksAt, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
});

test("external, paused and unknown queues raise", async () => {
  const { db } = await fixture.database();
  await call(db, "pgq.create_queue", "q");
  await rejects(call(db, "pgq.ticker", "nosuch"), /no such queue/);
  await rejects(call(db, "pgq.ticker", null), /no such queue/);
  await call(db, "pgq.set_queue_config", "q", "ticker_paused", "true");
  await rejects(call(db, "pgq.ticker", "q"), /Ticker has been paused for this queue/);
  await call(db, "pgq.set_queue_config", "q", "external_ticker", "true");
  await rejects(call(db, "pgq.ticker", "q"), /This queue has external tick source\./);
  equal(await call(db, "pgq.ticker"), 0n);
});

test("an external tick brings id, time and event number, and never moves sequences back", async () => {
  const { db } = await fixture.database();
  await createEagerQueue(db, "q");
  const external = "select pgq.ticker($1, $2, '2010-11-12 13:14:15.678901+00', $3)";
  await rejects(db.query(external, ["q", 50, 500]), /queue not found or ticker disabled: q/);
  await rejects(db.query(external, ["nosuch", 50, 500]), /queue not found or ticker disabled: nosuch/);
  await call(db, "pgq.set_queue_config", "q", "external_ticker", "true");
  equal(await db.queryValue(external, ["q", 50, 500]), 50n);
  equal(await db.queryValue(external, ["q", 40, 400]), 40n);
  await rejects(db.query(external, ["q", 50, 500]), /tick_pkey/);
  deepEqual(await db.queryOne("select tick_time, tick_event_seq from pgq.tick where tick_id = 50"), {
    tick_time: "2010-11-12 13:14:15.678901+00",
    tick_event_seq: 500n,
  });
  equal(await call(db, "pgq.seq_getval", "pgq.event_1_tick_seq"), 50n);
  equal(await call(db, "pgq.seq_getval", "pgq.event_1_id_seq"), 500n);
  await call(db, "pgq.set_queue_config", "q", "ticker_paused", "true");
  await rejects(db.query(external, ["q", 60, 600]), /queue not found or ticker disabled: q/);
});

test("a database restored into a younger cluster is noticed", async () => {
  const { db } = await fixture.database();
  const warnings: string[] = [];
  await call(db, "pgq.create_queue", "q");
  await db.execute("update pgq.tick set tick_snapshot = '5000000000:5000000001:'");
  await rejects(
    call(db, "pgq.ticker", "q"),
    /Invalid PgQ state: old xmin=5000000000, old xmax=5000000001, cur txid=\d+/,
  );
  await db.execute("update pgq.tick set tick_snapshot = '3:5000000001:3'");
  await db.execute("set client_min_messages = error");
  equal(await call(db, "pgq.ticker", "q"), 2n);
  deepEqual(warnings, []);
});

test("an idle ticker uses up no transaction number", async () => {
  const { db } = await fixture.database();
  await call(db, "pgq.create_queue", "q");
  await tick(db, "q");
  const next = (): Promise<unknown> => db.queryValue("select txid_snapshot_xmax(txid_current_snapshot())");
  const before = await next();
  for (let n = 0; n < 5; n++) equal(await call(db, "pgq.ticker", "q"), null);
  equal(await next(), before);
});

test("while one ticker works on a queue no other makes a tick there", async () => {
  const { db, another } = await fixture.database();
  await createEagerQueue(db, "q");
  await createEagerQueue(db, "z");
  await call(db, "pgq.register_consumer", "q", "c");
  const slow = await another({ autocommit: false });
  await tick(slow, "q");
  await call(db, "pgq.insert_event", "q", "t", "between");
  equal(await call(db, "pgq.ticker", "q"), null);
  equal(await call(db, "pgq.ticker"), 1n);
  await slow.commit();
  await tick(db, "q");
  deepEqual([...(await consume(db, "q", "c"))!, ...(await consume(db, "q", "c"))!], ["between"]);
});

test("a ticker with an old snapshot cannot put a tick behind one it does not see", async () => {
  const { db, another } = await fixture.database();
  await createEagerQueue(db, "q");
  await call(db, "pgq.register_consumer", "q", "c");
  const old = await another({ autocommit: false, isolation: "repeatable read" });
  await old.query("select 1");
  await call(db, "pgq.insert_event", "q", "t", "once");
  await tick(db, "q");
  await rejects(call(old, "pgq.ticker", "q"), (error: { sqlState?: string }) => error.sqlState === "40001");
  await old.rollback();

  // The gap that a rolled-back tick leaves does not stop it.
  await tick(old, "q");
  await old.rollback();
  await tick(old, "q");
  await old.commit();
  deepEqual([...(await consume(db, "q", "c"))!, ...(await consume(db, "q", "c"))!], ["once"]);
  equal(await call(db, "pgq.next_batch", "q", "c"), null);
});

test("ticking does not wait for a rotation that is not committed", async () => {
  const { db, another } = await fixture.database();
  await createEagerQueue(db, "q");
  await call(db, "pgq.set_queue_config", "q", "rotation_period", "0");
  const rotation = await another({ autocommit: false });
  await call(rotation, "pgq.maint_rotate_tables_step1", "q");
  await db.execute("set lock_timeout = '2s'");
  await tick(db, "q");
  await rotation.rollback();
});

test("a queue is dropped while it ticks, and neither ends in a deadlock", async () => {
  const { db, another } = await fixture.database();
  await createEagerQueue(db, "q");
  const [holder, ticker, dropper] = [await another({ autocommit: false }), await another(), await another()];
  const waits = async (session: Database): Promise<void> => {
    const sql = "select count(*) > 0 from pg_locks where pid = $1 and not granted";
    await waitFor("the session to wait for a lock", async () => {
      const isWaiting = await db.queryValue<boolean>(sql, [session.backendPid]);
      return isWaiting === true;
    });
  };
  await holder.query("lock table pgq.tick in access exclusive mode");
  const ticked = call<bigint>(ticker, "pgq.ticker", "q");
  await waits(ticker);
  const dropped = call<number>(dropper, "pgq.drop_queue", "q", true);
  await waits(dropper);
  await holder.commit();
  ok((await ticked) > 1n);
  equal(await dropped, 1);
});
