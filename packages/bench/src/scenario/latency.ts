import { setTimeout as sleep } from "node:timers/promises";
import { Database } from "@skytools/skytools";
import { type Cluster, moduleDatabase } from "@skytools/testbed";
import { compiledPgqDatabase, originalPgqBinDir } from "../peer/original-pgq.ts";
import { startTicker, type TickerProgram, tickerPrograms } from "../peer/tickers.ts";
import { quantileOf } from "../quantile.ts";
import type { BenchOptions, FigureRow, FigureTable, Scenario } from "../scenario.ts";
import { benchServer } from "../server.ts";

interface Pace {
  readonly title: string;
  readonly tickerKeys: readonly string[];
  /** of the queue; undefined: its default */
  readonly maxLag: string | undefined;
  /** between two looks of the consumer, when it found nothing, on average */
  readonly pollMs: number;
  readonly seconds: number;
}

const paces: readonly Pace[] = [
  {
    title: "10 ticks a second, consumer looks about every 10 ms",
    tickerKeys: ["ticker_period = 0.1"],
    maxLag: "0",
    pollMs: 10,
    seconds: 20,
  },
  {
    title: "default settings: a tick after 3 s, consumer looks about every second",
    tickerKeys: [],
    maxLag: undefined,
    pollMs: 1000,
    seconds: 30,
  },
];

/** How long a committed event takes to its consumer: the original ticker and schema beside ours. */
export const latency: Scenario = {
  name: "latency",
  summary: "time from commit to consumer, at 10 ticks a second and at default settings, beside the C pgqd",
  async *contests(options: BenchOptions): AsyncIterable<FigureTable> {
    await using server = await benchServer({ preferOriginal: true });
    const ours = await moduleDatabase(server, ["pgq"], "pgq_ours");
    const original = originalPgqBinDir() === undefined ? undefined : await compiledPgqDatabase(server);
    for (const pace of paces) {
      const rows: FigureRow[] = [];
      for (const program of tickerPrograms()) {
        const isOurs = program.command === "pgqd";
        const connstr = isOurs || original === undefined ? ours : original;
        const seconds = Math.max(3, pace.seconds * options.scale);
        rows.push(
          await measured(program, server, connstr, isOurs || original === undefined, { ...pace, seconds }),
        );
      }
      yield {
        title: `Commit to consumer, one event each 20 ms, ${pace.title}`,
        columns: [
          { key: "p50", title: "p50", unit: "ms", digits: 0 },
          { key: "p99", title: "p99", unit: "ms", digits: 0 },
          { key: "max", title: "max", unit: "ms", digits: 0 },
          { key: "events", title: "events", unit: "", digits: 0 },
        ],
        rows,
      };
    }
  },
};

async function measured(
  program: TickerProgram,
  server: Cluster,
  connstr: string,
  isOurSchema: boolean,
  pace: Pace,
): Promise<FigureRow> {
  await using producer = await Database.open(connstr, { autocommit: true });
  await using consumer = await Database.open(connstr, { autocommit: true });
  await producer.execute("select pgq.create_queue('bench')");
  if (pace.maxLag !== undefined) {
    await producer.query("select pgq.set_queue_config('bench', 'ticker_max_lag', $1)", [pace.maxLag]);
  }
  await producer.execute("select pgq.register_consumer('bench', 'reader')");
  const databaseName = await producer.queryValue<string>("select current_database()::text");
  const keys = [...pace.tickerKeys, `database_list = ${databaseName}`];
  await using ticker = await startTicker(program, server, keys);
  await ticker.program.waitForOutput(/pgq version ok/);
  const latencies = await exchange(producer, consumer, pace);
  await producer.execute("select pgq.drop_queue('bench', true)");
  const quantile = quantileOf(latencies);
  return {
    name: `${program.name}, ${isOurSchema ? "our" : "C"} PgQ`,
    figures: { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1), events: quantile.count },
  };
}

/** @returns milliseconds from each commit to the arrival in the consumer */
async function exchange(producer: Database, consumer: Database, pace: Pace): Promise<number[]> {
  const committedAt = new Map<string, number>();
  const latencies: number[] = [];
  let isProducing = true;
  const produce = async (): Promise<void> => {
    const end = performance.now() + pace.seconds * 1000;
    for (let number = 0; performance.now() < end; number++) {
      await producer.query("select pgq.insert_event('bench', 'type', $1)", [String(number)]);
      committedAt.set(String(number), performance.now());
      // Not in step with the ticker.
      await sleep(15 + Math.random() * 10);
    }
    isProducing = false;
  };
  const consume = async (): Promise<void> => {
    while (isProducing || latencies.length < committedAt.size) {
      const batch = await consumer.queryValue<bigint | null>("select pgq.next_batch('bench', 'reader')");
      if (batch === null || batch === undefined) {
        // Not in step with the ticker either: how far apart two beats of a second are would decide who is faster.
        await sleep(pace.pollMs * 2 * Math.random());
        continue;
      }
      const events = await consumer.query<{ ev_data: string }>(
        "select ev_data from pgq.get_batch_events($1)",
        [batch],
      );
      const now = performance.now();
      for (const event of events) latencies.push(now - (committedAt.get(event.ev_data) ?? now));
      await consumer.query("select pgq.finish_batch($1)", [batch]);
    }
  };
  await Promise.all([produce(), consume()]);
  return latencies;
}
