import { readFileSync } from "node:fs";

const ticksPerSecond = 100;

/** When a process began, in milliseconds as `Date.now` counts them; undefined where the system does not tell. It follows the clock: when
 * that is set, processes that run have begun at another time.
 * Source: proc(5), /proc/<pid>/stat field 22, /proc/stat btime */
export function processBegin(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
    const bootSeconds = Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "latin1"))?.[1]);
    const begun = (bootSeconds + ticks / ticksPerSecond) * 1000;
    return Number.isFinite(begun) ? begun : undefined;
  } catch {
    return undefined;
  }
}
