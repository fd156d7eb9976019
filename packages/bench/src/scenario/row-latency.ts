import { Database } from "@skytools/skytools";
import { type Cluster, waitFor } from "@skytools/testbed";
import { type LondisteFlavour, ourLondiste, pythonLondiste } from "../peer/londiste.ts";
import { LondistePair } from "../peer/londiste-pair.ts";
import { originalPgqBinDir } from "../peer/original-pgq.ts";
import { forSeconds, probeReplication, probeTableSql } from "../probe.ts";
import { quantileOf } from "../quantile.ts";
import type { BenchOptions, FigureRow, FigureTable, Scenario } from "../scenario.ts";
import { benchServer } from "../server.ts";

interface Pace {
  readonly name: string;
  readonly title: string;
  readonly workerKeys: readonly string[];
  readonly tickerKeys: readonly string[];
  /** of the queue; undefined: its default */
  readonly maxLag: string | undefined;
  readonly seconds: number;
}

const paces: readonly Pace[] = [
  {
    name: "tuned",
    title: "a tick every 100 ms, the worker looks every 10 ms (bars: p50 100 ms, p99 200 ms)",
    workerKeys: ["loop_delay = 0.01"],
    tickerKeys: ["ticker_period = 0.1"],
    maxLag: "0",
    seconds: 20,
  },
  {
    name: "default",
    title: "default settings (bar: not above the python one)",
    workerKeys: [],
    tickerKeys: [],
    maxLag: undefined,
    seconds: 40,
  },
];

/** How long a committed row takes until it can be read on the leaf. */
export const rowLatency: Scenario = {
  name: "row-latency",
  summary: "time from commit on the root to the row on the leaf, tuned and at default settings: ours, python",
  async *contests(options: BenchOptions): AsyncIterable<FigureTable> {
    await using source = await benchServer({ preferOriginal: true });
    await using target = await benchServer({ preferOriginal: true });
    const python = originalPgqBinDir() === undefined ? undefined : pythonLondiste();
    for (const pace of paces) {
      const rows: FigureRow[] = [];
      for (const flavour of python === undefined ? [ourLondiste()] : [python, ourLondiste()]) {
        rows.push(await measured(flavour, source, target, pace, Math.max(3, pace.seconds * options.scale)));
      }
      yield {
        title: `Commit to leaf, one row each 20 ms, ${pace.title}`,
        columns: [
          { key: "p50", title: "p50", unit: "ms", digits: 0 },
          { key: "p99", title: "p99", unit: "ms", digits: 0 },
          { key: "max", title: "max", unit: "ms", digits: 0 },
          { key: "rows", title: "rows", unit: "", digits: 0 },
        ],
        rows,
      };
    }
  },
};

async function measured(
  flavour: LondisteFlavour,
  source: Cluster,
  target: Cluster,
  pace: Pace,
  seconds: number,
): Promise<FigureRow> {
  const name = `${flavour.name.replaceAll(" ", "_")}_${pace.name}`;
  await using pair = await LondistePair.start(flavour, name, source, target, {
    sourceSql: probeTableSql,
    targetSql: probeTableSql,
    workerKeys: pace.workerKeys,
    tickerKeys: pace.tickerKeys,
  });
  if (pace.maxLag !== undefined) {
    await pair.from.query("select pgq.set_queue_config('bench', 'ticker_max_lag', $1)", [pace.maxLag]);
  }
  await pair.onRoot("add-table", "probe");
  await pair.onLeaf("add-table", "probe");
  await waitFor(`${name} in sync`, () => pair.isInSync(), {
    timeoutMs: 120_000,
    onTimeout: () => pair.outputTail(),
  });
  await using writer = await Database.open(pair.sourceConnstr, { autocommit: true });
  await using reader = await Database.open(pair.targetConnstr, { autocommit: true });
  const { latencies } = await probeReplication(writer, reader, forSeconds(seconds));
  const quantile = quantileOf(latencies);
  const figures = { p50: quantile(0.5), p99: quantile(0.99), max: quantile(1), rows: quantile.count };
  return { name: flavour.name, figures };
}
