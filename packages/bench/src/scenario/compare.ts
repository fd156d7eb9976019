import { performance } from "node:perf_hooks";
import { Database } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import { timed } from "../measure.ts";
import { ourLondiste } from "../peer/londiste.ts";
import { LondistePair } from "../peer/londiste-pair.ts";
import type { BenchOptions, Contest, FigureRow, FigureTable, Scenario } from "../scenario.ts";
import { benchServer } from "../server.ts";
import { fillRows, rowsTableSql } from "../workload.ts";

/** How long it takes to know that two tables are equal, and to find and fix the row that is not. */
export const compare: Scenario = {
  name: "compare",
  summary: "compare of equal tables beside one COPY to nowhere; one wrong row found and repaired",
  async *contests(options: BenchOptions): AsyncIterable<Contest | FigureTable> {
    await using source = await benchServer();
    await using target = await benchServer();
    const rows = Math.max(1000, Math.round(1_000_000 * options.scale));
    const table = `${rowsTableSql}; alter table bench_rows add primary key (id)`;
    await using nodes = await LondistePair.start(ourLondiste(), "compare", source, target, {
      sourceSql: table,
      targetSql: table,
      workerKeys: ["loop_delay = 0.1"],
      tickerKeys: ["ticker_period = 0.1"],
    });
    await fillRows(nodes.from, rows);
    await nodes.onRoot("add-table", "bench_rows");
    await nodes.onLeaf("add-table", "bench_rows");
    await waitFor("the initial copy", () => nodes.isInSync(), {
      timeoutMs: 180_000,
      onTimeout: () => nodes.outputTail(),
    });
    await nodes.to.execute("vacuum analyze bench_rows");
    yield {
      title: `compare of ${rows} rows, equal on both sides`,
      unit: "rows",
      baseline: "COPY to nowhere",
      contestants: [
        { name: "COPY to nowhere", run: () => timed(rows, () => copyToNowhere(nodes.sourceConnstr)) },
        {
          name: "londiste3 compare",
          run: () => timed(rows, () => nodes.onLeaf("compare", "bench_rows")),
        },
      ],
    };
    yield {
      title: `one wrong row among ${rows}, seconds of the whole command`,
      columns: [{ key: "seconds", title: "time", unit: "s", digits: 2 }],
      rows: await repairFigures(nodes, Math.ceil(rows / 2)),
    };
  },
};

async function copyToNowhere(connstr: string): Promise<void> {
  await using database = await Database.open(connstr);
  for await (const rows of database.copyOut("copy bench_rows to stdout")) void rows;
}

async function repairFigures(nodes: LondistePair, id: number): Promise<FigureRow[]> {
  const seconds = async (...args: string[]) => {
    const start = performance.now();
    await nodes.onLeaf(...args, "bench_rows");
    return (performance.now() - start) / 1000;
  };
  const compared = await seconds("compare");
  await nodes.to.execute(
    `set session_replication_role = replica; update bench_rows set name = 'wrong' where id = ${id}; reset session_replication_role`,
  );
  const repaired = await seconds("repair", "--apply");
  await nodes.onLeaf("compare", "bench_rows");
  return [
    { name: "compare, equal", figures: { seconds: compared } },
    { name: "repair --apply, one wrong row", figures: { seconds: repaired } },
    { name: "more than comparing", figures: { seconds: repaired - compared } },
  ];
}
