import { Database } from "@skytools/skytools";
import { type Cluster, waitFor } from "@skytools/testbed";
import { timed } from "../measure.ts";
import { type LondisteFlavour, ourLondiste, pythonLondiste } from "../peer/londiste.ts";
import { LondistePair } from "../peer/londiste-pair.ts";
import type { BenchOptions, Contest, Contestant, Sample } from "../scenario.ts";
import { benchServer } from "../server.ts";
import { fillRows, rowsTableSql } from "../workload.ts";

const keySql = "alter table bench_rows add primary key (id)";
const indexesSql = `create index on bench_rows (kind); create index on bench_rows (name);
  create index on bench_rows (changed, id); create index on bench_rows (amount)`;

interface CopyContestant extends Contestant, AsyncDisposable {}

/** From the command that adds a table with rows to the moment from which on it is replicated. */
export async function* initialCopies(options: BenchOptions): AsyncIterable<Contest> {
  await using source = await benchServer({ preferOriginal: true });
  await using target = await benchServer({ preferOriginal: true });
  const flavour = pythonLondiste();
  yield* keyOnly(source, target, Math.max(1000, Math.round(1_000_000 * options.scale)), flavour);
  yield* severalIndexes(source, target, Math.max(1000, Math.round(500_000 * options.scale)));
}

async function* keyOnly(
  source: Cluster,
  target: Cluster,
  rows: number,
  flavour: LondisteFlavour | undefined,
): AsyncIterable<Contest> {
  const table = { sql: keySql, rows };
  await using native = await nativeCopy(source, target, "native_copy", table);
  await using ours = await londisteCopy(ourLondiste(), source, target, "ours_copy", table);
  await using python = flavour && (await londisteCopy(flavour, source, target, "python_copy", table));
  yield {
    title: `initial copy of ${rows} rows with a primary key, from the command to in sync`,
    unit: "rows",
    baseline: native.name,
    contestants: [native, ours, ...(python == null ? [] : [python])],
  };
}

async function* severalIndexes(source: Cluster, target: Cluster, rows: number): AsyncIterable<Contest> {
  const table = { sql: `${keySql}; ${indexesSql}`, rows };
  await using native = await nativeCopy(source, target, "native_indexed", table);
  await using one = await londisteCopy(ourLondiste(), source, target, "ours_one", {
    ...table,
    name: "ours, one connection",
  });
  await using several = await londisteCopy(ourLondiste(), source, target, "ours_several", {
    ...table,
    name: "ours, four connections",
    workerKeys: ["threaded_copy_tables = public.bench_rows", "threaded_copy_pool_size = 4"],
  });
  yield {
    title: `initial copy of ${rows} rows with a primary key and four indexes, from the command to in sync`,
    unit: "rows",
    baseline: one.name,
    contestants: [native, one, several],
  };
}

interface CopiedTable {
  /** keys and indexes */
  readonly sql: string;
  readonly rows: number;
  /** of the contestant, if not the program's */
  readonly name?: string;
  readonly workerKeys?: readonly string[];
}

async function londisteCopy(
  flavour: LondisteFlavour,
  source: Cluster,
  target: Cluster,
  database: string,
  { sql, rows, name = flavour.name, workerKeys = [] }: CopiedTable,
): Promise<CopyContestant> {
  const pair = await LondistePair.start(flavour, database, source, target, {
    sourceSql: `${rowsTableSql}; ${sql}`,
    targetSql: `${rowsTableSql}; ${sql}`,
    workerKeys: ["loop_delay = 0.1", "parallel_copies = 2", ...workerKeys],
    tickerKeys: ["ticker_period = 0.1"],
  });
  await fillRows(pair.from, rows);
  await pair.onRoot("add-table", "bench_rows");
  let isAdded = false;
  return {
    name,
    async run(): Promise<Sample> {
      if (isAdded) await pair.onLeaf("remove-table", "bench_rows");
      isAdded = true;
      for (const sql of ["truncate bench_rows", "checkpoint"]) await pair.to.execute(sql);
      return timed(rows, async () => {
        await pair.onLeaf("add-table", "bench_rows");
        await waitFor(`${name}: initial copy`, () => pair.isInSync(), {
          timeoutMs: 180_000,
          onTimeout: () => pair.outputTail(),
        });
      });
    },
    [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
  };
}

async function nativeCopy(
  source: Cluster,
  target: Cluster,
  name: string,
  { sql, rows }: CopiedTable,
): Promise<CopyContestant> {
  const sourceConnstr = await source.createDatabase(`${name}_source`);
  const targetConnstr = await target.createDatabase(`${name}_target`);
  const from = await Database.open(sourceConnstr, { autocommit: true });
  const to = await Database.open(targetConnstr, { autocommit: true });
  for (const database of [from, to]) await database.execute(`${rowsTableSql}; ${sql}`);
  await fillRows(from, rows);
  await from.execute(`create publication ${name} for table bench_rows`);
  const location = sourceConnstr.replaceAll("'", "''");
  const drop = () => to.execute(`drop subscription if exists ${name}`);
  return {
    name: "native logical replication",
    async run(): Promise<Sample> {
      await drop();
      for (const sql of ["truncate bench_rows", "checkpoint"]) await to.execute(sql);
      return timed(rows, async () => {
        await to.execute(`create subscription ${name} connection '${location}' publication ${name}`);
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
