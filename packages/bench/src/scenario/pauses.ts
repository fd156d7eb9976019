import { Database } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import { ourLondiste } from "../peer/londiste.ts";
import { LondistePair } from "../peer/londiste-pair.ts";
import { forSeconds, type ProbedReplication, probeReplication, probeTableSql } from "../probe.ts";
import { quantileOf } from "../quantile.ts";
import type { BenchOptions, FigureRow, FigureTable, Scenario } from "../scenario.ts";
import { benchServer } from "../server.ts";

const tableCount = 300;
const rowsEach = 1000;
const parallelCopies = [1, 4];
const quietSeconds = 10;

/** What a table that is in sync feels of the copies of others. */
export const pauses: Scenario = {
  name: "pauses",
  summary: "longest pause of one table's replay while 300 others are copied, and while nothing is",
  async *contests(options: BenchOptions): AsyncIterable<FigureTable> {
    await using source = await benchServer();
    await using target = await benchServer();
    const tables = Math.max(3, Math.round(tableCount * options.scale));
    const tablesSql = (rows: number) => `${probeTableSql};
      do $$ begin for i in 1..${tables} loop
        execute format('create table t%s (id int primary key, v text)', i);
        execute format('insert into t%s select i, md5(i::text) from generate_series(1, ${rows}) i', i);
      end loop; end $$`;
    const rows: FigureRow[] = [];
    for (const copies of parallelCopies) {
      await using pair = await LondistePair.start(ourLondiste(), `pauses_${copies}`, source, target, {
        sourceSql: tablesSql(rowsEach),
        targetSql: tablesSql(0),
        workerKeys: ["loop_delay = 0.01", `parallel_copies = ${copies}`],
        tickerKeys: ["ticker_period = 0.1"],
      });
      await pair.from.query("select pgq.set_queue_config('bench', 'ticker_max_lag', '0')");
      await pair.onRoot("add-table", "--all");
      const inSync = () =>
        waitFor("tables in sync", () => pair.isInSync(), {
          timeoutMs: 300_000,
          onTimeout: () => pair.outputTail(),
        });
      await pair.onLeaf("add-table", "probe");
      await inSync();
      await using writer = await Database.open(pair.sourceConnstr, { autocommit: true });
      await using reader = await Database.open(pair.targetConnstr, { autocommit: true });
      if (rows.length === 0) {
        const quiet = await probeReplication(
          writer,
          reader,
          forSeconds(Math.max(1, quietSeconds * options.scale)),
        );
        rows.push(figuresOf("nothing copied", quiet, 0));
      }
      let isCopying = true;
      const start = performance.now();
      const copied = (async () => {
        await pair.onLeaf("add-table", "--all");
        await inSync();
      })().finally(() => {
        isCopying = false;
      });
      const [probed] = await Promise.all([probeReplication(writer, reader, () => isCopying), copied]);
      const name = `${tables} tables copied, ${copies} at once`;
      rows.push(figuresOf(name, probed, (performance.now() - start) / 1000));
    }
    yield {
      title: "Replay of one table, a tick each 100 ms, while others are copied (bar: no pause above 200 ms)",
      columns: [
        { key: "pause", title: "longest pause", unit: "ms", digits: 0 },
        { key: "p50", title: "latency p50", unit: "ms", digits: 0 },
        { key: "p99", title: "p99", unit: "ms", digits: 0 },
        { key: "max", title: "max", unit: "ms", digits: 0 },
        { key: "seconds", title: "copied in", unit: "s", digits: 1 },
      ],
      rows,
    };
  },
};

function figuresOf(name: string, probed: ProbedReplication, seconds: number): FigureRow {
  const quantile = quantileOf(probed.latencies);
  return {
    name,
    figures: {
      pause: probed.longestPauseMs,
      p50: quantile(0.5),
      p99: quantile(0.99),
      max: quantile(1),
      seconds,
    },
  };
}
