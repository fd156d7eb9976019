import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import type { Database } from "@skytools/skytools";
import { databaseFixture } from "../fixture.ts";
import { batchData, call, consume, createEagerQueue, tick } from "./queue.ts";

const fixture = databaseFixture(["pgq"], { settings: { max_prepared_transactions: "5" } });

async function consumerQueue(): Promise<Awaited<ReturnType<typeof fixture.database>>> {
  const session = await fixture.database();
  await createEagerQueue(session.db, "q");
  await call(session.db, "pgq.register_consumer", "q", "c");
  return session;
}

/** Puts two ticks with given snapshots into queue 1 and opens the batch between them. */
async function batchBetween(db: Database, start: string, end: string): Promise<bigint> {
  await db.execute("delete from pgq.tick");
  await db.query("insert into pgq.tick values (1, 1, now(), $1, 1), (1, 2, now(), $2, 1)", [start, end]);
  await call(db, "pgq.register_consumer_at", "q", "c", 1n);
  return call(db, "pgq.next_batch", "q", "c");
}

test("a batch reads a range of transactions and single ones far back", async () => {
  const { db } = await consumerQueue();
  await db.query(`insert into pgq.event_1_0 (ev_time, ev_txid, ev_data)
                  select now(), x, x from unnest('{900,1000,2000,4880,4900,4990,4999,5000,5020,5040,5049,5050}'::int[]) x`);
  const batch = await batchBetween(db, "1000:5000:1000,4880,4900,4990", "4900:5050:4900,5040");
  // 2000 and 4999 were visible at the start; 4900 and 5040 are still open at the end.
  deepEqual(await batchData(db, batch), ["1000", "4880", "4990", "5000", "5020", "5049"]);
  const sql = await call<string>(db, "pgq.batch_event_sql", batch);
  match(sql, /ev_txid >= 4990 and ev_txid < 5050 .* union all .*'\{4880,1000\}'.* order by 1$/);
  match(
    sql,
    /^select ev_id, ev_time, ev_txid, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4 from/,
  );
});

test("open transactions within 100 of each other widen the range", async () => {
  const { db } = await consumerQueue();
  for (const [start, low, list] of [
    ["700:1000:700,800,900", 700, null],
    ["699:1000:699,800,900", 800, "{699}"],
    ["899:1000:899", 1000, "{899}"],
    ["1000:1000:", 1000, null],
  ] as const) {
    const batch = await batchBetween(db, start, "1010:1010:");
    const sql = await call<string>(db, "pgq.batch_event_sql", batch);
    ok(sql.includes(`ev_txid >= ${low} `), `${start}: ${sql}`);
    equal(sql.includes("any ("), list !== null, `${start}: ${sql}`);
    if (list !== null) ok(sql.includes(list));
  }
});

test("thousands of open transactions are told apart", async () => {
  const { db } = await consumerQueue();
  const open = Array.from({ length: 3000 }, (_, n) => 10_000 + n * 150);
  const stillOpen = open.filter((_, n) => n % 3 === 0);
  await db.query(
    "insert into pgq.event_1_0 (ev_time, ev_txid, ev_data) select now(), x, x from unnest($1::bigint[]) x",
    [open],
  );
  const batch = await batchBetween(
    db,
    `10000:600000:${open.join(",")}`,
    `10000:600000:${stillOpen.join(",")}`,
  );
  deepEqual(await batchData(db, batch), open.filter((_, n) => n % 3 !== 0).map(String));
});

test("the events of a long transaction come once, with the batch after its commit", async () => {
  const { db, another } = await consumerQueue();
  const long = await another({ autocommit: false });
  await call(long, "pgq.insert_event", "q", "t", "long 1");
  const seen = [];
  for (let n = 0; n < 4; n++) {
    // More than a hundred numbers away, so that the list is used.
    await db.execute(
      "do $$ begin for n in 1 .. 60 loop begin perform txid_current(); raise exception 'x'; exception when others then null; end; end loop; end $$",
    );
    for (let burn = 0; burn < 60; burn++) await db.query("select txid_current()");
    await call(db, "pgq.insert_event", "q", "t", `short ${n}`);
    if (n === 2) {
      await call(long, "pgq.insert_event", "q", "t", "long 2");
      await long.commit();
    }
    await tick(db, "q");
    seen.push(await consume(db, "q", "c"));
  }
  deepEqual(seen, [["short 0"], ["short 1"], ["long 1", "short 2", "long 2"], ["short 3"]]);
});

test("events of subtransactions, rolled-back savepoints and prepared transactions", async () => {
  const { db, another } = await consumerQueue();
  const writer = await another({ autocommit: false });
  const insert = (data: string): Promise<unknown> => call(writer, "pgq.insert_event", "q", "t", data);
  await insert("top");
  await writer.execute("savepoint a");
  await insert("kept");
  await writer.execute("savepoint b");
  await insert("lost");
  await writer.execute("rollback to savepoint b; release savepoint a");
  await writer.commit();
  await insert("prepared");
  await writer.execute("prepare transaction 'p'");
  await insert("rolled back");
  await writer.rollback();
  await tick(db, "q");
  deepEqual(await consume(db, "q", "c"), ["top", "kept"]);
  await db.execute("commit prepared 'p'");
  await tick(db, "q");
  deepEqual(await consume(db, "q", "c"), ["prepared"]);
});

test("events before and after a tick of their own transaction come once", async () => {
  for (const hasOtherWriter of [false, true]) {
    const { db, another } = await consumerQueue();
    const writer = await another({ autocommit: false });
    await call(writer, "pgq.insert_event", "q", "t", "before");
    if (hasOtherWriter) await call(db, "pgq.insert_event", "q", "t", "other");
    await tick(writer, "q");
    await call(writer, "pgq.insert_event", "q", "t", "after");
    await writer.commit();
    await tick(db, "q");
    const seen = [...(await consume(db, "q", "c"))!, ...(await consume(db, "q", "c"))!];
    deepEqual(seen.sort(), hasOtherWriter ? ["after", "before", "other"] : ["after", "before"]);
  }
});

test("errors of unknown batches", async () => {
  const { db } = await consumerQueue();
  for (const batch of [99n, null]) {
    await rejects(call(db, "pgq.batch_event_sql", batch), /batch not found/);
    await rejects(call(db, "pgq.get_batch_events", batch), /batch not found/);
    await rejects(call(db, "pgq.batch_event_tables", batch), /Cannot find data for batch (99|<NULL>)/);
  }
  await rejects(call(db, "pgq.next_batch", "q", "nobody"), /Not subscriber to queue: q\/nobody/);
  await rejects(call(db, "pgq.next_batch", null, null), /Not subscriber to queue: NULL\/NULL/);
  await db.execute("delete from pgq.tick");
  await rejects(
    call(db, "pgq.next_batch", "q", "c"),
    /PgQ corruption: Consumer c on queue q does not see tick <NULL>/,
  );
});

test("custom batches take the newest tick, or less than twice the request", async () => {
  const { db } = await consumerQueue();
  await db.execute("delete from pgq.tick");
  // Ten events and ten minutes between ticks, the newest 5 min old.
  await db.execute(`insert into pgq.tick (tick_queue, tick_id, tick_time, tick_event_seq)
                    select 1, n, now() - (10 - n) * interval '10 min' - interval '5 min', n * 10 from generate_series(1, 10) n`);
  const ends = [];
  for (const [lag, count, interval] of [
    [null, 90, null], // exactly reached
    [null, 91, null], // not reached
    [null, 45, null], // twice is not more than twice
    [null, 44, null], // too far: the first tick that reaches it
    [null, 1, null],
    [null, null, "90 min"],
    [null, null, "91 min"],
    [null, null, "35 min"],
    [null, 1000, "35 min"],
    ["4 min", null, null],
    ["56 min", null, null], // the next tick is what counts, and it is old
    ["4 min", 45, null],
    ["6 min", 45, null], // the newest is too fresh, though an older one would do
  ]) {
    await call(db, "pgq.register_consumer_at", "q", "c", 1n);
    const row = await db.queryOne<{ cur_tick_id: bigint | null }>(
      "select cur_tick_id from pgq.next_batch_custom('q', 'c', $1, $2, $3)",
      [lag, count, interval],
    );
    ends.push(row.cur_tick_id === null ? null : Number(row.cur_tick_id));
  }
  deepEqual(ends, [10, null, 10, 6, 2, 10, null, 5, 5, 2, 2, 10, null]);
});

test("a second reader of one consumer gets the same batch, not another one", async () => {
  const { db, another } = await consumerQueue();
  await call(db, "pgq.insert_event", "q", "t", "x");
  await tick(db, "q");
  await tick(db, "q");
  const [one, two] = [await another({ autocommit: false }), await another({ autocommit: false })];
  const first = await call<bigint>(one, "pgq.next_batch", "q", "c");
  const waiting = call<bigint>(two, "pgq.next_batch", "q", "c");
  await one.commit();
  equal(await waiting, first);
  await two.commit();
  deepEqual(await batchData(one, first), ["x"]);
  equal(await call(one, "pgq.finish_batch", first), 1);
  await one.commit();

  // The first one opens and finishes a batch while the second one waits.
  const next = await call<bigint>(one, "pgq.next_batch", "q", "c");
  const late = call<bigint | null>(two, "pgq.next_batch", "q", "c");
  await call(one, "pgq.finish_batch", next);
  await one.commit();
  equal(await late, null);
});

test("one consumer's position is found at once among its dead versions", async () => {
  const { db, another } = await consumerQueue();
  const old = await another({ autocommit: false, isolation: "repeatable read" });
  await old.query("select 1");
  await db.execute(`do $$ begin for n in 1 .. 3000 loop
    update pgq.subscription set sub_active = clock_timestamp(), sub_batch = case when n % 2 = 1 then n end,
      sub_next_tick = 1;
    commit; end loop; end $$`);
  await tick(db, "q");
  await db.execute("update pgq.subscription set sub_next_tick = null, sub_active = clock_timestamp()");
  const blocks = async (sql: string): Promise<number> => {
    await db.execute("set track_functions = none");
    const plan = await db.query<Record<string, string>>(
      `explain (analyze, buffers, costs off, timing off, summary off) ${sql}`,
    );
    const text = plan.map((row) => row["QUERY PLAN"]).join("\n");
    return Number(/shared hit=(\d+)/.exec(text)?.[1] ?? 0);
  };
  await db.query("select pgq.get_consumer_info('q', 'c')");
  ok((await blocks("select * from pgq.next_batch('q', 'c')")) < 300);
  ok((await blocks("select pgq.finish_batch(sub_batch) from (select 1 as sub_batch) s")) < 100);
});

test("a deleted event is left out of its batch, for its consumer only", async () => {
  const { db } = await consumerQueue();
  await call(db, "pgq.register_consumer", "q", "other");
  for (const data of ["a", "b", "c"]) await call(db, "pgq.insert_event", "q", "t", data);
  await tick(db, "q");
  const batch = await call<bigint>(db, "pgq.next_batch", "q", "c");
  equal(await call(db, "pgq.del_event", batch, 2n), 1);
  equal(await call(db, "pgq.del_event", batch, 2n), 0);
  await rejects(call(db, "pgq.del_event", batch, 99n), /event not found/);
  await rejects(call(db, "pgq.del_event", 99n, 1n), /event not found/);
  deepEqual(await batchData(db, batch), ["a", "c"]);
  deepEqual(await consume(db, "q", "other"), ["a", "b", "c"]);
  await call(db, "pgq.finish_batch", batch);
  await call(db, "pgq.maint_rotate_tables_step2");
  equal(await db.queryValue("select count(*) from pgq.hidden_event"), 0n);
});

test("events can be looked at without opening a batch", async () => {
  const { db } = await consumerQueue();
  const show = async (): Promise<string[]> =>
    (await db.query<{ ev_data: string }>("select ev_data from pgq.show_batch_events('q', 'c')")).map(
      (row) => row.ev_data,
    );
  deepEqual(await show(), []);
  await call(db, "pgq.insert_event", "q", "t", "a");
  await tick(db, "q");
  await call(db, "pgq.insert_event", "q", "t", "b");
  await tick(db, "q");
  deepEqual(await show(), ["a"]);
  equal(await db.queryValue("select current_batch from pgq.get_consumer_info('q', 'c')"), null);
  const batch = await call<bigint>(db, "pgq.next_batch", "q", "c");
  deepEqual(await show(), ["a"]);
  await call(db, "pgq.finish_batch", batch);
  deepEqual(await show(), ["b"]);
  const between = (from: number, to: number): Promise<object[]> =>
    db.query("select ev_data from pgq.get_tick_events('q', $1, $2)", [from, to]);
  deepEqual(await between(1, 3), [{ ev_data: "a" }, { ev_data: "b" }]);
  deepEqual(await between(2, 3), [{ ev_data: "b" }]);
  await rejects(between(2, 9), /tick not found: 9/);
  await rejects(db.query("select pgq.show_batch_events('q', 'nobody')"), /consumer not registered/);
});
