import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Peak memory of the daemons whose pidfiles lie in a directory, and of the processes that they start. Where there is no
 * /proc nothing is recorded. */
export class ProcessMemory {
  readonly #directory: string;
  readonly #peakKilobytes = new Map<string, number>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Looks at everything that runs now; a process that ends between two calls keeps what was seen last. */
  sample(): void {
    const daemons = new Map<number, string>();
    for (const name of readdirSync(this.#directory)) {
      if (!name.endsWith(".pid")) continue;
      const pid = Number.parseInt(readOrEmpty(join(this.#directory, name)), 10);
      if (pid > 0) daemons.set(pid, name.slice(0, -".pid".length));
    }
    for (const [pid, name] of daemons) this.#record(pid, name);
    for (const entry of readOrNone("/proc")) {
      const pid = Number(entry);
      const parent = Number.isInteger(pid) ? daemons.get(parentOf(pid)) : undefined;
      if (parent !== undefined) this.#record(pid, `${parent} copies`);
    }
  }

  /** Source: proc(5), VmHWM in /proc/<pid>/status. */
  #record(pid: number, name: string): void {
    const match = /^VmHWM:\s*(\d+) kB$/m.exec(readOrEmpty(`/proc/${pid}/status`));
    if (match === null) return;
    this.#peakKilobytes.set(name, Math.max(Number(match[1]), this.#peakKilobytes.get(name) ?? 0));
  }

  /** Bytes by daemon; the copies that a worker has started are one entry, the largest. */
  peaks(): ReadonlyMap<string, number> {
    return new Map([...this.#peakKilobytes].map(([name, kilobytes]) => [name, kilobytes * 1024]));
  }
}

/** Source: proc(5), /proc/<pid>/stat, field 4 after the command name in parentheses. */
function parentOf(pid: number): number {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

/** Processes end and pidfiles go at any time: what cannot be read is not there. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function readOrNone(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
