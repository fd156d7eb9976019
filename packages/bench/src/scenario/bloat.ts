import { setTimeout as sleep } from "node:timers/promises";
import { Database } from "@skytools/skytools";
import { moduleDatabase } from "@skytools/testbed";
import { startTicker } from "../peer/tickers.ts";
import { quantileOf } from "../quantile.ts";
import type { BenchOptions, FigureRow, FigureTable, Scenario } from "../scenario.ts";
import { benchServer } from "../server.ts";

const minutes = 15;
const insertsPerSecond = 20;
const eventsPerInsert = 100;

/** What a queue becomes under a transaction that stays open: 2,000 events and 10 ticks a second. */
export const bloat: Scenario = {
  name: "bloat",
  summary: `a queue without and with an open transaction, ${minutes} minutes each: dead rows, sizes, latency`,
  async *contests(options: BenchOptions): AsyncIterable<FigureTable> {
    await using server = await benchServer();
    const connstr = await moduleDatabase(server, ["pgq"], "bloat");
    const ticker = { name: "our pgqd", command: "pgqd" };
    const keys = ["ticker_period = 0.1", "maint_period = 2", "database_list = bloat"];
    await using running = await startTicker(ticker, server, keys);
    await running.program.waitForOutput(/pgq version ok/);
    const seconds = minutes * 60 * options.scale;
    const rows: FigureRow[] = [];
    for (const name of ["no other transaction", "a transaction open"] as const) {
      await using holder = await Database.open(connstr);
      await using db = await Database.open(connstr, { autocommit: true });
      await db.execute(`select pgq.create_queue('bench');
        select pgq.set_queue_config('bench', 'ticker_max_lag', '0');
        select pgq.set_queue_config('bench', 'rotation_period', '10 seconds');
        select pgq.register_consumer('bench', 'reader')`);
      if (name === "a transaction open") await holder.query("select txid_current()");
      const latencies = await flow(db, await Database.open(connstr, { autocommit: true }), seconds);
      rows.push({ name, figures: { ...latencies, ...(await sizes(db)) } });
      await holder.rollback();
      await db.execute("select pgq.drop_queue('bench', true)");
    }
    yield {
      title: `2,000 events and 10 ticks a second for ${Math.round(seconds)} s (bar: no dead events, latency within 1.5 times)`,
      columns: [
        { key: "p50", title: "p50", unit: "ms", digits: 0 },
        { key: "p99", title: "p99", unit: "ms", digits: 0 },
        { key: "deadEvents", title: "dead events", unit: "", digits: 0 },
        { key: "queueKb", title: "queue", unit: "kB", digits: 0 },
        { key: "subscriptionKb", title: "subscription", unit: "kB", digits: 0 },
        { key: "tickKb", title: "ticks", unit: "kB", digits: 0 },
      ],
      rows,
    };
  },
};

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
    await consumer.close();
  };
  await Promise.all([produce(), consume()]);
  const quantile = quantileOf(latencies);
  return { p50: quantile(0.5), p99: quantile(0.99) };
}

async function sizes(db: Database): Promise<Record<string, number>> {
  return db.queryOne<Record<string, number>>(
    `select (select coalesce(sum(n_dead_tup), 0)::int4 from pg_stat_user_tables where relname ~ '^event_[0-9]') as "deadEvents",
            (pg_total_relation_size('pgq.queue') / 1024)::int4 as "queueKb",
            (pg_total_relation_size('pgq.subscription') / 1024)::int4 as "subscriptionKb",
            (pg_total_relation_size('pgq.tick') / 1024)::int4 as "tickKb"`,
  );
}
