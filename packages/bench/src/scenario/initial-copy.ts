import { Database } from "@skytools/skytools";
import { type Cluster, waitFor } from "@skytools/testbed";
import { timed } from "../measure.ts";
import { type LondisteFlavour, ourLondiste, pythonLondiste } from "../peer/londiste.ts";
import { LondistePair } from "../peer/londiste-pair.ts";
import type { BenchOptions, Contest, Contestant, Sample } from "../scenario.ts";
import { benchServer } from "../server.ts";
import { fillRows, rowsTableSql } from "../workload.ts";

const keySql = "alter table bench_rows add primary key (id)";

interface CopyContestant extends Contestant, AsyncDisposable {}

/** From the command that adds a table with rows to the moment from which on it is replicated. */
export async function* initialCopies(options: BenchOptions): AsyncIterable<Contest> {
  await using source = await benchServer({ preferOriginal: true });
  await using target = await benchServer({ preferOriginal: true });
  const rows = Math.max(1000, Math.round(1_000_000 * options.scale));
  await using native = await nativeCopy(source, target, rows);
  await using ours = await londisteCopy(ourLondiste(), source, target, rows);
  const flavour = pythonLondiste();
  await using python = flavour && (await londisteCopy(flavour, source, target, rows));
  yield {
    title: `initial copy of ${rows} rows with a primary key, from the command to in sync`,
    unit: "rows",
    baseline: native.name,
    contestants: [native, ours, ...(python == null ? [] : [python])],
  };
}

async function londisteCopy(
  flavour: LondisteFlavour,
  source: Cluster,
  target: Cluster,
  rows: number,
): Promise<CopyContestant> {
  const pair = await LondistePair.start(
    flavour,
    `${flavour.name.replaceAll(" ", "_")}_copy`,
    source,
    target,
    {
      sourceSql: `${rowsTableSql}; ${keySql}`,
      targetSql: `${rowsTableSql}; ${keySql}`,
      workerKeys: ["loop_delay = 0.1", "parallel_copies = 2"],
      tickerKeys: ["ticker_period = 0.1"],
    },
  );
  await fillRows(pair.from, rows);
  await pair.onRoot("add-table", "bench_rows");
  let isAdded = false;
  return {
    name: flavour.name,
    async run(): Promise<Sample> {
      if (isAdded) await pair.onLeaf("remove-table", "bench_rows");
      isAdded = true;
      for (const sql of ["truncate bench_rows", "checkpoint"]) await pair.to.execute(sql);
      return timed(rows, async () => {
        await pair.onLeaf("add-table", "bench_rows");
        await waitFor(`${flavour.name} initial copy`, () => pair.isInSync(), {
          timeoutMs: 180_000,
          onTimeout: () => pair.outputTail(),
        });
      });
    },
    [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
  };
}

async function nativeCopy(source: Cluster, target: Cluster, rows: number): Promise<CopyContestant> {
  const sourceConnstr = await source.createDatabase("native_copy_source");
  const targetConnstr = await target.createDatabase("native_copy_target");
  const from = await Database.open(sourceConnstr, { autocommit: true });
  const to = await Database.open(targetConnstr, { autocommit: true });
  for (const database of [from, to]) await database.execute(`${rowsTableSql}; ${keySql}`);
  await fillRows(from, rows);
  await from.execute("create publication bench_copy for table bench_rows");
  const location = sourceConnstr.replaceAll("'", "''");
  const drop = () => to.execute("drop subscription if exists bench_copy");
  return {
    name: "native logical replication",
    async run(): Promise<Sample> {
      await drop();
      for (const sql of ["truncate bench_rows", "checkpoint"]) await to.execute(sql);
      return timed(rows, async () => {
        await to.execute(`create subscription bench_copy connection '${location}' publication bench_copy`);
        await waitFor(
          "native initial copy",
          async () => {
            const pending = await to.queryValue<bigint>(
              "select count(*) from pg_subscription_rel where srsubstate <> 'r'",
            );
            return pending === 0n;
          },
          { timeoutMs: 180_000 },
        );
      });
    },
    async [Symbol.asyncDispose]() {
      await drop();
      await to.close();
      await from.close();
    },
  };
}
