import { Database } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import { ourLondiste } from "../peer/londiste.ts";
import { londisteReplica } from "../peer/londiste-replica.ts";
import type { BenchOptions, FigureRow, FigureTable, Scenario } from "../scenario.ts";
import { benchServer } from "../server.ts";

/** a batch is of one transaction */
const batchSizes = [10_000, 500_000, 5_000_000];

/** What the replaying process takes of memory for batches of any size. */
export const memory: Scenario = {
  name: "memory",
  summary: "peak memory of our worker from a batch of 10,000 events to one of 5,000,000",
  async *contests(options: BenchOptions): AsyncIterable<FigureTable> {
    await using source = await benchServer({ preferOriginal: true });
    await using target = await benchServer({ preferOriginal: true });
    const existing = { inserts: 0, updates: 0, deletes: 0, existing: 0 };
    await using replica = await londisteReplica(ourLondiste(), source, target, existing);
    await using from = await Database.open(replica.sourceConnstr, { autocommit: true });
    await using to = await Database.open(replica.targetConnstr, { autocommit: true });
    const rows: FigureRow[] = [];
    let present = 0;
    for (const [index, events] of batchSizes.entries()) {
      const half = Math.max(500, Math.round((events * options.scale) / 2));
      await replica.hold();
      // One statement list is one transaction. Each key comes twice.
      await from.execute(
        `insert into accounts select i, i % 100, 0, 'filler' from generate_series(${present + 1}, ${present + half}) i;
         update accounts set abalance = 1 where aid > ${present};
         update marker set n = ${index + 1} where id = 1`,
      );
      await replica.seal();
      const start = performance.now();
      await replica.release();
      await waitFor(
        `a batch of ${events} events`,
        async () => (await to.queryValue<number>("select n from marker where id = 1")) === index + 1,
        { timeoutMs: 900_000, intervalMs: 50 },
      );
      present += half;
      rows.push({
        name: `${half * 2} events`,
        figures: {
          memory: replica.peakMemoryMb() ?? Number.NaN,
          seconds: (performance.now() - start) / 1000,
        },
      });
    }
    yield {
      title: "Peak memory of the worker by batch (bar: flat, below 150 MB)",
      columns: [
        { key: "memory", title: "so far", unit: "MB", digits: 0 },
        { key: "seconds", title: "applied in", unit: "s", digits: 1 },
      ],
      rows,
    };
  },
};
