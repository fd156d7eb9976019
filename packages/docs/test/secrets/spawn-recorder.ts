// Loaded into a program before its own code: notes, in a file for each process, what it starts with which words and environment,
// and what the list of processes shows of itself at its end.
import childProcess, { type SpawnOptions } from "node:child_process";
import { appendFileSync, readFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";

const file = join(process.env.SPAWN_RECORDS ?? ".", `${process.pid}.records`);
const note = (record: object) => appendFileSync(file, `${JSON.stringify(record)}\n`);

/** Of both functions the options are the last argument, where there are any. */
function recorded<A extends unknown[], R>(start: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    const [command, words] = args as unknown as [string, unknown];
    const { env = process.env } = (args.at(-1) ?? {}) as SpawnOptions;
    note({ command, words: Array.isArray(words) ? words : [], password: env.PGPASSWORD ?? null });
    return start(...args);
  };
}

childProcess.spawn = recorded(childProcess.spawn) as typeof childProcess.spawn;
childProcess.spawnSync = recorded(childProcess.spawnSync) as typeof childProcess.spawnSync;
syncBuiltinESMExports();

process.on("exit", () =>
  note({ command: "itself", words: [readFileSync("/proc/self/cmdline", "latin1")], password: null }),
);
