import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Database } from "@skytools/skytools";
import {
  type Cluster,
  moduleDatabase,
  runProgram,
  startProgram,
  temporaryDirectory,
} from "@skytools/testbed";
import { type LoadSize, tablesSql } from "../workload.ts";
import type { Replica } from "./replica.ts";

/** A loading program as a further consumer of a queue. */
export interface LoaderFlavour {
  readonly program: "bulk_loader3" | "cube_dispatcher3";
  /** lines of its configuration */
  readonly settings: string;
  /** the target begins with the rows that the source had before its first load */
  readonly hasExistingRows: boolean;
}

export const bulkLoader: LoaderFlavour = {
  program: "bulk_loader3",
  settings: "",
  hasExistingRows: true,
};

/** The tables of a day inherit, so that the marker is found. */
export const cubeDispatcher: LoaderFlavour = {
  program: "cube_dispatcher3",
  settings: "part_template = create table _DEST_TABLE (primary key (_PKEY)) inherits (_PARENT)\n",
  hasExistingRows: false,
};

/** A loader that reads the queue of another replica's source. It is held by stopping its process. */
export async function loaderReplica(
  flavour: LoaderFlavour,
  sourceConnstr: string,
  queue: string,
  target: Cluster,
  size: LoadSize,
): Promise<Replica> {
  const { program, settings, hasExistingRows } = flavour;
  const targetConnstr = await moduleDatabase(target, ["pgq_ext"], `${program}_target`);
  const to = await Database.open(targetConnstr, { autocommit: true });
  await to.execute(tablesSql(hasExistingRows ? size : undefined));
  await to.close();
  const directory = await temporaryDirectory("bench-loader");
  const config = join(directory.path, `${program}.ini`);
  writeFileSync(
    config,
    `[${program}]\nsrc_db = ${sourceConnstr}\ndst_db = ${targetConnstr}\nqueue_name = ${queue}\nloop_delay = 0.1\n${settings}`,
  );
  const { code, stderr } = await runProgram(program, [config, "--register"]);
  if (code !== 0) throw new Error(`${program} --register exited ${code}\n${stderr}`);
  const process = startProgram(program, [config]);
  return {
    name: program,
    sourceConnstr,
    targetConnstr,
    async hold() {
      process.signal("SIGSTOP");
    },
    async seal() {},
    async release() {
      process.signal("SIGCONT");
    },
    peakMemoryMb: () => {
      const status = readFileSync(`/proc/${process.pid}/status`, "utf8");
      return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1000;
    },
    async [Symbol.asyncDispose]() {
      process.signal("SIGCONT");
      await process[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}
