import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@skytools/testbed";
import { ourLondiste } from "../peer/londiste.ts";
import { LondistePair } from "../peer/londiste-pair.ts";
import { processorSeconds } from "../process-usage.ts";
import type { BenchOptions, FigureRow, FigureTable, Scenario } from "../scenario.ts";
import { benchServer } from "../server.ts";

const tableCounts = [10, 100, 1000];
const idleSeconds = 10;

/** What a set costs as its tables become more. */
export const growth: Scenario = {
  name: "growth",
  summary: "a set of 10, 100 and 1,000 tables: add-table --all, an idle worker's processor time, status",
  async *contests(options: BenchOptions): AsyncIterable<FigureTable> {
    await using source = await benchServer();
    await using target = await benchServer();
    const rows: FigureRow[] = [];
    for (const count of tableCounts) {
      const tables = Math.max(2, Math.round(count * options.scale));
      const tablesSql = `do $$ begin for i in 1..${tables} loop
        execute format('create table t%s (id int primary key, v text)', i); end loop; end $$`;
      await using pair = await LondistePair.start(ourLondiste(), `growth_${count}`, source, target, {
        sourceSql: tablesSql,
        targetSql: tablesSql,
        workerKeys: [],
        tickerKeys: [],
      });
      const addOnRoot = await secondsOf(() => pair.onRoot("add-table", "--all"));
      const addOnLeaf = await secondsOf(async () => {
        await pair.onLeaf("add-table", "--all", "--expect-sync");
        await waitFor("all tables in sync", () => pair.isInSync(), { onTimeout: () => pair.outputTail() });
      });
      const status = await secondsOf(() => pair.onLeaf("status"));
      const tablesCommand = await secondsOf(() => pair.onLeaf("tables"));
      const before = processorSeconds(pair.workerPid);
      await sleep(idleSeconds * 1000);
      const idle = ((processorSeconds(pair.workerPid) - before) / idleSeconds) * 100;
      rows.push({
        name: `${tables} tables`,
        figures: { addOnRoot, addOnLeaf, status, tables: tablesCommand, idle },
      });
    }
    yield {
      title: "Growth of a set (bar: nothing worse than linear)",
      columns: [
        { key: "addOnRoot", title: "add-table --all, root", unit: "s", digits: 2 },
        { key: "addOnLeaf", title: "leaf", unit: "s", digits: 2 },
        { key: "status", title: "status", unit: "s", digits: 2 },
        { key: "tables", title: "tables", unit: "s", digits: 2 },
        { key: "idle", title: "idle worker", unit: "% of a core", digits: 1 },
      ],
      rows,
    };
  },
};

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
