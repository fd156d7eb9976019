import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";

/** A server that runs on a data directory of this host, by its `postmaster.pid`. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  /** "" when it has no unix socket */
  readonly socketDirectory: string;
}

/** @returns undefined when none runs there
 * Source: PostgreSQL's miscadmin.h, lines of the lock file */
export function runningServer(dataDirectory: string): RunningServer | undefined {
  const path = join(dataDirectory, "postmaster.pid");
  if (!existsSync(path)) return undefined;
  const lines = readFileSync(path, "utf8").split("\n");
  const pid = Math.abs(Number(lines[0]));
  if (!Number.isInteger(pid) || pid === 0 || !isServerOf(pid, dataDirectory)) return undefined;
  return { pid, port: Number(lines[3] ?? 5432), socketDirectory: lines[4]?.trim() ?? "" };
}

/** The number may be another process's by now: a server's current directory is its data directory. */
function isServerOf(pid: number, dataDirectory: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  try {
    return realpathSync(`/proc/${pid}/cwd`) === realpathSync(dataDirectory);
  } catch {
    // Not to be seen: then the number alone counts.
    return true;
  }
}

/** Connect string of a server of this host through its socket. */
export function localConnstr({ port, socketDirectory }: RunningServer): string {
  return `host=${socketDirectory === "" ? "localhost" : `'${socketDirectory}'`} port=${port} dbname=postgres`;
}
