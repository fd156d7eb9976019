import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Database } from "@skytools/skytools";
import { type Cluster, runProgram, startProgram, temporaryDirectory, waitFor } from "@skytools/testbed";
import { type LoadSize, tablesSql } from "../workload.ts";
import type { Replica } from "./replica.ts";

/** Which Londiste: the commands and the configuration are the same. */
export interface LondisteFlavour {
  readonly name: string;
  readonly londiste: string;
  readonly pgqd: string;
  readonly section: string;
  /** extra statements for a fresh source or target database */
  readonly prepareSql: string;
}

/** This project's programs. */
export function ourLondiste(): LondisteFlavour {
  return {
    name: "ours",
    londiste: "londiste3",
    pgqd: "pgqd",
    section: "londiste3",
    prepareSql: "",
  };
}

/** Debian's python3-londiste with its C-backed schemas, if this machine has it. */
export function pythonLondiste(): LondisteFlavour | undefined {
  if (!existsSync("/usr/bin/londiste") || !existsSync("/usr/bin/pgqd")) return undefined;
  return {
    name: "python londiste",
    londiste: "/usr/bin/londiste",
    pgqd: "/usr/bin/pgqd",
    section: "londiste",
    prepareSql: "create extension pgq; create extension pgq_node; create extension londiste",
  };
}

/** Name of the replicated queue. */
export const benchQueue = "bench";

/** A root on one server, a leaf on the other, both tables in sync, all daemons running. */
export async function londisteReplica(
  flavour: LondisteFlavour,
  source: Cluster,
  target: Cluster,
  size: LoadSize,
): Promise<Replica> {
  const prefix = flavour.name.replaceAll(" ", "_");
  const sourceConnstr = await source.createDatabase(`${prefix}_source`);
  const targetConnstr = await target.createDatabase(`${prefix}_target`);
  const from = await Database.open(sourceConnstr, { autocommit: true });
  const to = await Database.open(targetConnstr, { autocommit: true });
  for (const database of [from, to])
    if (flavour.prepareSql !== "") await database.execute(flavour.prepareSql);
  await from.execute(tablesSql(size));
  await to.execute(tablesSql(undefined));
  const directory = await temporaryDirectory("bench-londiste");
  const config = (name: string, connstr: string): string => {
    const file = join(directory.path, `${name}.ini`);
    writeFileSync(
      file,
      `[${flavour.section}]\njob_name = ${prefix}_${name}\ndb = ${connstr}\nqueue_name = ${benchQueue}\n` +
        `loop_delay = 0.1\npidfile = ${directory.path}/${name}.pid\nlogfile = ${directory.path}/${name}.log\n` +
        "parallel_copies = 2\n",
    );
    return file;
  };
  const root = config("root", sourceConnstr);
  const leaf = config("leaf", targetConnstr);
  const tickerConfig = join(directory.path, "pgqd.ini");
  writeFileSync(
    tickerConfig,
    `[pgqd]\nbase_connstr = ${sourceConnstr.replace(/dbname=\S+/, "")}\ndatabase_list = ${prefix}_source\n` +
      `ticker_period = 0.1\npidfile = ${directory.path}/pgqd.pid\nlogfile = ${directory.path}/pgqd.log\n`,
  );
  const command = async (...args: string[]): Promise<void> => {
    const { code, stdout, stderr } = await runProgram(flavour.londiste, args);
    if (code !== 0) throw new Error(`${flavour.name}: ${args.join(" ")} exited ${code}\n${stdout}${stderr}`);
  };
  await command(root, "create-root", "root", sourceConnstr);
  await command(leaf, "create-leaf", "leaf", targetConnstr, `--provider=${sourceConnstr}`);
  const programs = [
    startProgram(flavour.pgqd, [tickerConfig]),
    startProgram(flavour.londiste, [root, "worker"]),
    startProgram(flavour.londiste, [leaf, "worker"]),
  ];
  await command(root, "add-table", "accounts", "marker");
  await command(leaf, "add-table", "accounts", "marker");
  await waitFor(
    `${flavour.name} initial copy`,
    async () => {
      const pending = await to.queryValue<bigint>(
        "select count(*) from londiste.table_info where merge_state is distinct from 'ok'",
      );
      return pending === 0n;
    },
    { timeoutMs: 180_000, onTimeout: () => programs.map((program) => program.stderrText()).join("\n") },
  );
  const worker = await to.queryValue<string>("select worker_name from pgq_node.node_info");
  const setPaused = async (isPaused: boolean): Promise<void> => {
    await to.query("select * from pgq_node.set_consumer_paused($1, $2, $3)", [benchQueue, worker, isPaused]);
  };
  return {
    name: flavour.name,
    sourceConnstr,
    targetConnstr,
    async hold() {
      await setPaused(true);
      await waitFor(`${flavour.name} worker's pause`, () =>
        to.queryValue<boolean>("select uptodate from pgq_node.local_state where consumer_name = $1", [
          worker,
        ]),
      );
    },
    async seal() {
      const top = await from.queryValue<bigint>("select pgq.force_tick($1)", [benchQueue]);
      await waitFor(`${flavour.name} tick after the load`, async () => {
        const tick = await from.queryValue<bigint>("select last_tick_id from pgq.get_queue_info($1)", [
          benchQueue,
        ]);
        return tick !== undefined && top !== undefined && tick > top;
      });
    },
    release: () => setPaused(false),
    peakMemoryMb: () => {
      const status = readFileSync(`/proc/${programs[2]!.pid}/status`, "utf8");
      return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1000;
    },
    async [Symbol.asyncDispose]() {
      for (const program of programs.toReversed()) await program[Symbol.asyncDispose]();
      await to.close();
      await from.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}
