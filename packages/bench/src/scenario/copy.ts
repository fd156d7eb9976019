import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { Database, pipeCopy } from "@skytools/skytools";
import type { Cluster } from "@skytools/testbed";
import { timed } from "../measure.ts";
import type { BenchOptions, Contest, Contestant, Scenario } from "../scenario.ts";
import { benchServer } from "../server.ts";
import { fillRows, rowsTableSql } from "../workload.ts";
import { initialCopies } from "./initial-copy.ts";

const psql = ["/usr/bin/psql", "/usr/local/bin/psql"].find((path) => existsSync(path));

/** Megabytes a second from a table on one server into an empty one on another. */
export const copy: Scenario = {
  name: "copy",
  summary:
    "initial copy of a table: our COPY pipe beside `psql | psql`; add-table to ok beside other replications",
  async *contests(options: BenchOptions): AsyncIterable<Contest> {
    yield* pipes(options);
    yield* initialCopies(options);
  },
};

async function* pipes(options: BenchOptions): AsyncIterable<Contest> {
  await using source = await benchServer();
  await using target = await benchServer();
  const rows = Math.max(1000, Math.round(1_000_000 * options.scale));
  const sourceConnstr = await tableDatabase(source);
  const targetConnstr = await tableDatabase(target);
  await using database = await Database.open(sourceConnstr, { autocommit: true });
  await fillRows(database, rows);
  const bytes = (await database.queryValue<bigint>("select pg_relation_size('bench_rows')"))!;
  const megabytes = Number(bytes) / 1e6;
  const contestants: Contestant[] = [
    {
      name: "pipeCopy",
      run: () => intoEmpty(targetConnstr, megabytes, () => pipe(sourceConnstr, targetConnstr)),
    },
  ];
  if (psql !== undefined) {
    contestants.unshift({
      name: "psql | psql",
      run: () => intoEmpty(targetConnstr, megabytes, () => psqlPipe(psql, sourceConnstr, targetConnstr)),
    });
  }
  yield {
    title: `copy of ${rows} rows, ${megabytes.toFixed(0)} MB`,
    unit: "MB",
    baseline: contestants[0]!.name,
    contestants,
  };
}

async function tableDatabase(server: Cluster): Promise<string> {
  const connstr = await server.createDatabase("bench_copy");
  await using database = await Database.open(connstr, { autocommit: true });
  await database.execute(rowsTableSql);
  return connstr;
}

async function intoEmpty(connstr: string, megabytes: number, work: () => Promise<void>) {
  await using database = await Database.open(connstr, { autocommit: true });
  await database.execute("truncate bench_rows");
  return await timed(megabytes, work);
}

async function pipe(from: string, to: string): Promise<void> {
  await using source = await Database.open(from);
  await using target = await Database.open(to);
  await pipeCopy(source, "copy bench_rows to stdout", target, "copy bench_rows from stdin");
  await target.commit();
}

async function psqlPipe(program: string, from: string, to: string): Promise<void> {
  const reader = spawn(program, ["-X", "-q", "-d", from, "-c", "copy bench_rows to stdout"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const writer = spawn(program, ["-X", "-q", "-d", to, "-c", "copy bench_rows from stdin"], {
    stdio: [reader.stdout!, "ignore", "inherit"],
  });
  const [[readerCode], [writerCode]] = await Promise.all([once(reader, "exit"), once(writer, "exit")]);
  if (readerCode !== 0 || writerCode !== 0)
    throw new Error(`psql | psql exited ${readerCode}, ${writerCode}`);
}
