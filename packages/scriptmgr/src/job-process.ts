import { readFileSync, statSync } from "node:fs";
import { probePidfile, SkytoolsError } from "@skytools/skytools";
import type { ManagedJob } from "./managed-job.ts";

/** Whether a job runs. */
export type JobProcess =
  | {
      readonly state: "running";
      readonly pid: number;
      readonly uptimeSeconds: number | undefined;
      readonly owner: number;
    }
  | { readonly state: "stopped"; readonly hasStalePidfile: boolean }
  /** no pidfile is configured */
  | { readonly state: "unknown" };

/** A pidfile is written soon after its process has begun. */
const toleranceMs = 5_000;
const ticksPerSecond = 100;

/** Looks for the process of a job. A process that began after the pidfile was written is another one that got the same number.
 * @throws SkytoolsError PIDFILE when the pidfile is not of its form, or cannot be read */
export function findProcess({ pidfile }: ManagedJob): JobProcess {
  if (pidfile === undefined) return { state: "unknown" };
  const found = probe(pidfile);
  if (found.state !== "running") return { state: "stopped", hasStalePidfile: found.state === "stale" };
  const writtenMs = statSync(pidfile, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
  const begunMs = beginOf(found.pid);
  if (begunMs !== undefined && begunMs > writtenMs + toleranceMs)
    return { state: "stopped", hasStalePidfile: true };
  return {
    state: "running",
    pid: found.pid,
    uptimeSeconds: begunMs === undefined ? undefined : Math.max(0, Math.round((Date.now() - begunMs) / 1000)),
    owner: statSync(`/proc/${found.pid}`, { throwIfNoEntry: false })?.uid ?? -1,
  };
}

function probe(pidfile: string) {
  try {
    return probePidfile(pidfile);
  } catch (error) {
    if (error instanceof SkytoolsError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw new SkytoolsError("PIDFILE", `cannot read pidfile ${pidfile} (${code})`, { cause: error });
  }
}

/** When a process began, undefined where the system does not tell.
 * Source: proc(5), /proc/<pid>/stat field 22, /proc/stat btime */
function beginOf(pid: number): number | undefined {
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
