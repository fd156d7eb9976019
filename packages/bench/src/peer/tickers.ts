import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, type RunningProgram, startProgram, temporaryDirectory } from "@skytools/testbed";

const originalProgram = "/usr/bin/pgqd";

/** A program that ticks: ours, or the original in C where it is installed. */
export interface TickerProgram {
  readonly name: string;
  readonly command: string;
}

/** Debian's package pgqd, if this machine has it, and ours. */
export function tickerPrograms(): TickerProgram[] {
  const original = existsSync(originalProgram) ? [{ name: "C pgqd", command: originalProgram }] : [];
  return [...original, { name: "our pgqd", command: "pgqd" }];
}

/** A running ticker; disposing it ends it. */
export interface RunningTicker extends AsyncDisposable {
  readonly program: RunningProgram;
}

/** Starts a ticker on a cluster with the keys that both programs know; what is not given has its default.
 * @param keys lines of the file, `key = value` */
export async function startTicker(
  ticker: TickerProgram,
  cluster: Cluster,
  keys: readonly string[],
): Promise<RunningTicker> {
  const directory = await temporaryDirectory("pgqd");
  const file = join(directory.path, "pgqd.ini");
  const connection = `base_connstr = host=${cluster.socketDir} port=${cluster.port} user=postgres`;
  const lines = ["[pgqd]", connection, "initial_database = postgres", "syslog = 0", ...keys];
  writeFileSync(file, `${lines.join("\n")}\n`);
  const program = startProgram(ticker.command, [file]);
  return {
    program,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}
