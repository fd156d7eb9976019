import { setTimeout as sleep } from "node:timers/promises";
import { Database } from "@skytools/skytools";
import { moduleDatabase } from "@skytools/testbed";
import { startTicker } from "../peer/tickers.ts";
import { quantileOf } from "../quantile.ts";
import type { Bar, BenchOptions, FigureTable, Scenario } from "../scenario.ts";
import { benchServer } from "../server.ts";

/** At scale 1. */
const calmMinutes = 10;
const openMinutes = 30;
const insertsPerSecond = 20;
const eventsPerInsert = 100;

const highestRatio = 1.5;
/** The rest grows with the ticks, whose row versions nothing can remove as long as the transaction is open; not with the events. */
const highestKbPerTick = 1;

/** What a queue becomes under a transaction that stays open: 2,000 events and 10 ticks a second. */
export const bloat: Scenario = {
  name: "bloat",
  summary: `a queue ${openMinutes} minutes with an open transaction, ${calmMinutes} without: dead rows, sizes, latency; fails when a bar is missed`,
  async *contests(options: BenchOptions): AsyncIterable<FigureTable> {
    const calm = await phase(calmMinutes * 60 * options.scale, false);
    const open = await phase(openMinutes * 60 * options.scale, true);
    yield {
      title: "2,000 events and 10 ticks a second",
      columns: [
        { key: "seconds", title: "for", unit: "s", digits: 0 },
        { key: "ticks", title: "ticks", unit: "", digits: 0 },
        { key: "p50", title: "p50", unit: "ms", digits: 0 },
        { key: "p99", title: "p99", unit: "ms", digits: 0 },
        { key: "deadEvents", title: "dead events", unit: "", digits: 0 },
        { key: "eventKb", title: "events", unit: "kB", digits: 0 },
        { key: "queueKb", title: "queue", unit: "kB", digits: 0 },
        { key: "subscriptionKb", title: "subscription", unit: "kB", digits: 0 },
        { key: "tickKb", title: "tick table", unit: "kB", digits: 0 },
      ],
      rows: [
        { name: "no other transaction", figures: calm },
        { name: "a transaction open", figures: open },
      ],
      bars: [
        { text: `no dead rows in event tables: ${open.deadEvents}`, isMet: open.deadEvents === 0 },
        ...(["p50", "p99"] as const).map((key) => {
          const ratio = open[key] / calm[key];
          return {
            text: `latency ${key} within ${highestRatio} times: ${ratio.toFixed(2)}`,
            isMet: ratio <= highestRatio,
          };
        }),
        bounded(open),
      ],
    };
  },
};

type Figures = Awaited<ReturnType<typeof phase>>;

function bounded({ ticks, growthKb }: Figures): Bar {
  const perTick = growthKb / ticks;
  return {
    text: `the rest grows by at most ${highestKbPerTick} kB a tick: ${perTick.toFixed(2)}`,
    isMet: perTick <= highestKbPerTick,
  };
}

/** On a server of its own.
 * @param isHeld a transaction with a number is open all the time */
async function phase(seconds: number, isHeld: boolean) {
  await using server = await benchServer();
  const connstr = await moduleDatabase(server, ["pgq"], "bloat");
  const ticker = { name: "our pgqd", command: "pgqd" };
  const keys = ["ticker_period = 0.1", "maint_period = 2", "database_list = bloat"];
  await using running = await startTicker(ticker, server, keys);
  await running.program.waitForOutput(/pgq version ok/);
  await using holder = await Database.open(connstr);
  await using db = await Database.open(connstr, { autocommit: true });
  await using reader = await Database.open(connstr, { autocommit: true });
  await db.execute(`select pgq.create_queue('bench');
    select pgq.set_queue_config('bench', 'ticker_max_lag', '0');
    select pgq.set_queue_config('bench', 'rotation_period', '10 seconds');
    select pgq.register_consumer('bench', 'reader')`);
  if (isHeld) await holder.query("select txid_current()");
  const before = await sizes(db);
  const latencies = await flow(db, reader, seconds);
  const after = await sizes(db);
  await holder.rollback();
  return { seconds, ...latencies, ...after, growthKb: after.restKb - before.restKb };
}

/** Latencies from the beginning of an insert to the arrival of its events. */
async function flow(producer: Database, consumer: Database, seconds: number) {
  const latencies: number[] = [];
  let isProducing = true;
  const produce = async (): Promise<void> => {
    const start = performance.now();
    for (let number = 0; number < seconds * insertsPerSecond; number += 1) {
      const now = String(performance.now());
      await producer.query(
        "select pgq.insert_events('bench', array_fill('t'::text, array[$1::int]), array_fill($2::text, array[$1]))",
        [eventsPerInsert, now],
      );
      await sleep(Math.max(0, start + ((number + 1) * 1000) / insertsPerSecond - performance.now()));
    }
    isProducing = false;
  };
  const consume = async (): Promise<void> => {
    while (isProducing) {
      const batch = await consumer.queryValue<bigint | null>("select pgq.next_batch('bench', 'reader')");
      if (batch === null || batch === undefined) {
        await sleep(10);
        continue;
      }
      const events = await consumer.query<{ data: string }>(
        "select distinct ev_data as data from pgq.get_batch_events($1)",
        [batch],
      );
      for (const { data } of events) latencies.push(performance.now() - Number(data));
      await consumer.query("select pgq.finish_batch($1)", [batch]);
    }
  };
  await Promise.all([produce(), consume()]);
  const quantile = quantileOf(latencies);
  return { p50: quantile(0.5), p99: quantile(0.99) };
}

async function sizes(db: Database) {
  const row = await db.queryOne<
    Record<"deadEvents" | "eventKb" | "queueKb" | "subscriptionKb" | "tickKb" | "ticks", number>
  >(
    `select (select coalesce(sum(n_dead_tup), 0)::int4 from pg_stat_user_tables where relname ~ '^event_[0-9]') as "deadEvents",
            (select coalesce(sum(pg_total_relation_size(relid)) / 1024, 0)::int4 from pg_stat_user_tables where relname ~ '^event_[0-9]') as "eventKb",
            (pg_total_relation_size('pgq.queue') / 1024)::int4 as "queueKb",
            (pg_total_relation_size('pgq.subscription') / 1024)::int4 as "subscriptionKb",
            (pg_total_relation_size('pgq.tick') / 1024)::int4 as "tickKb",
            (select max(tick_id) from pgq.tick)::int4 as ticks`,
  );
  return { ...row, restKb: row.queueKb + row.subscriptionKb + row.tickKb };
}
