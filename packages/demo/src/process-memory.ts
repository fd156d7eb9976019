import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Peak memory of the daemons whose pidfiles lie in a directory. */
export class ProcessMemory {
  readonly #directory: string;
  readonly #peakKilobytes = new Map<string, number>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Reads the peak of every daemon that runs now; one that ends between two calls keeps what was seen.
   * Source: proc(5), VmHWM in /proc/<pid>/status. Where there is no /proc nothing is recorded. */
  sample(): void {
    for (const name of readdirSync(this.#directory)) {
      const daemon = /^(.+)\.pid(\.copy)?/.exec(name);
      if (daemon === null) continue;
      const peak = peakKilobytes(join(this.#directory, name));
      const key = `${daemon[1]}${daemon[2] ?? ""}`;
      if (peak !== undefined) this.#peakKilobytes.set(key, Math.max(peak, this.#peakKilobytes.get(key) ?? 0));
    }
  }

  /** Bytes by daemon: the pidfile's name without its end; all copies of one worker together count as "<job>.copy". */
  peaks(): ReadonlyMap<string, number> {
    return new Map([...this.#peakKilobytes].map(([name, kilobytes]) => [name, kilobytes * 1024]));
  }
}

function peakKilobytes(pidfile: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidfile, "utf8"), 10);
    const match = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return match === null ? undefined : Number(match[1]);
  } catch {
    // The process ended, or its pidfile is just being written.
    return undefined;
  }
}
