import { appendFileSync } from "node:fs";
import { SkytoolsError } from "../errors.ts";

// Read once: some crash points are passed for every piece of data.
const setting = process.env.SKYTOOLS_CRASH_POINT;
const record = process.env.SKYTOOLS_CRASH_RECORD;
const hits = new Map<string, number>();

/** Whether the process is to die at the point: for points that cost something to find. */
export function isCrashPointSet(name: string): boolean {
  return setting?.startsWith(`${name}=`) === true;
}

/** A named moment at which a test can let the process die. Inert unless the environment variable SKYTOOLS_CRASH_POINT is
 * `<name>=<kill|throw|exit>[:<n>]`: at the n-th hit (the first by default) the process sends itself SIGKILL, the call
 * throws, or the process exits with code 1. The file that SKYTOOLS_CRASH_RECORD names gets a line with the name for each kill.
 * @param name `<component>.<moment>`, for example `worker.before-target-commit`; each name stands once in the code */
export function crashPoint(name: string): void {
  if (setting === undefined || !isCrashPointSet(name)) return;
  const parts = /^(kill|throw|exit)(?::(\d+))?$/.exec(setting.slice(name.length + 1));
  if (parts === null) throw new SkytoolsError("CRASH_POINT", `bad crash point "${setting}"`);
  const hit = (hits.get(name) ?? 0) + 1;
  hits.set(name, hit);
  if (hit !== Number(parts[2] ?? 1)) return;
  if (parts[1] === "throw") throw new SkytoolsError("CRASH_POINT", `crash point ${name}`, { retry: "later" });
  if (parts[1] === "exit") process.exit(1);
  if (record !== undefined) appendFileSync(record, `${name}\n`);
  process.kill(process.pid, "SIGKILL");
}
