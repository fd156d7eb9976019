import { statSync } from "node:fs";
import { probePidfile, processBegin, SkytoolsError } from "@skytools/skytools";
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

/** Looks for the process of a job. A process that began after the pidfile was written is another one that got the same number.
 * @throws SkytoolsError PIDFILE when the pidfile is not of its form, or cannot be read */
export function findProcess({ pidfile }: ManagedJob): JobProcess {
  if (pidfile === undefined) return { state: "unknown" };
  const found = probe(pidfile);
  if (found.state !== "running") return { state: "stopped", hasStalePidfile: found.state === "stale" };
  const writtenMs = statSync(pidfile, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
  const begunMs = processBegin(found.pid);
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
