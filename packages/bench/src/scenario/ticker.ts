import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, moduleDatabase, startCluster } from "@skytools/testbed";
import { startTicker, type TickerProgram, tickerPrograms } from "../peer/tickers.ts";
import { peakMemoryMb, processorSeconds } from "../process-usage.ts";
import type { BenchOptions, FigureRow, FigureTable, Scenario } from "../scenario.ts";

const queuesPerDatabase = 20;

/** What the ticker itself costs, by the number of databases. */
export const ticker: Scenario = {
  name: "ticker",
  summary: "processor time and memory of pgqd with 1, 10 and 50 databases of 20 queues, beside the C pgqd",
  async *contests(options: BenchOptions): AsyncIterable<FigureTable> {
    await using cluster = await startCluster({ settings: { max_connections: "250", log_statement: "none" } });
    const names = await databases(cluster, Math.max(10, Math.round(50 * options.scale)));
    const seconds = Math.max(3, Math.round(10 * options.scale));
    for (const [title, keys] of [
      ["default settings", []],
      ["10 ticks a second", ["ticker_period = 0.1"]],
    ] as const) {
      const rows: FigureRow[] = [];
      for (const count of new Set([1, 10, names.length])) {
        for (const program of tickerPrograms()) {
          const list = `database_list = ${names.slice(0, count).join(", ")}`;
          rows.push(await cost(program, cluster, count, [...keys, list], seconds));
        }
      }
      yield {
        title: `pgqd, ${title}, databases of ${queuesPerDatabase} idle queues, ${seconds} s each`,
        columns: [
          { key: "cpu", title: "processor", unit: "% of a core", digits: 2 },
          { key: "memory", title: "memory", unit: "MB", digits: 0 },
        ],
        rows,
      };
    }
  },
};

async function databases(cluster: Cluster, count: number): Promise<string[]> {
  await moduleDatabase(cluster, ["pgq"], "many_queues");
  for (let number = 1; number <= queuesPerDatabase; number++) {
    await cluster.query("select pgq.create_queue($1)", [`q${number}`], "many_queues");
  }
  const names = Array.from({ length: count }, (_, index) => `db${index + 1}`);
  for (const name of names) await cluster.createDatabase(name, "many_queues");
  return names;
}

async function cost(
  program: TickerProgram,
  cluster: Cluster,
  databaseCount: number,
  keys: readonly string[],
  seconds: number,
): Promise<FigureRow> {
  await using running = await startTicker(program, cluster, keys);
  const { pid } = running.program;
  const counts = async (): Promise<number> => {
    const rows = await cluster.query("select from pg_stat_activity where datname like 'db%'");
    return rows.length;
  };
  while ((await counts()) < databaseCount) await sleep(100);
  // What it does at its start is not what it costs.
  await sleep(2000);
  const before = processorSeconds(pid);
  const start = performance.now();
  await sleep(seconds * 1000);
  const share = (processorSeconds(pid) - before) / ((performance.now() - start) / 1000);
  return {
    name: `${program.name}, ${databaseCount} database${databaseCount === 1 ? "" : "s"}`,
    figures: { cpu: share * 100, memory: peakMemoryMb(pid) },
  };
}
