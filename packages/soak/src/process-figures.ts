import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { Sample } from "./figures.ts";

interface Told {
  readonly heapBytes: number;
  readonly handles: number;
  readonly warnings: number;
}

/** What a process has now.
 * @param probes where the probe in the process tells the rest
 * @throws Error when the process is gone. Source: proc(5) */
export function processFigures(pid: number, probes: string): Sample {
  const probeFile = join(probes, `${pid}.json`);
  const targets = readdirSync(`/proc/${pid}/fd`)
    .flatMap((name) => targetOf(`/proc/${pid}/fd/${name}`))
    // The probe may be writing just now.
    .filter((target) => !target.startsWith(probeFile));
  return {
    memory: statusKb(pid, "VmRSS") / 1024,
    files: targets.filter((target) => !target.startsWith("socket:")).length,
    sockets: targets.filter((target) => target.startsWith("socket:")).length,
    children: readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter(Boolean).length,
    ...told(probeFile),
  };
}

/** A line of /proc/<pid>/status, kB. */
export function statusKb(pid: number, key: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? Number.NaN);
}

/** It may have been closed since it was listed. */
function targetOf(link: string): string[] {
  try {
    return [readlinkSync(link)];
  } catch {
    return [];
  }
}

/** Empty before the probe's first second. */
function told(file: string): Sample {
  try {
    const { heapBytes, handles, warnings } = JSON.parse(readFileSync(file, "utf8")) as Told;
    return { heap: heapBytes / 1_000_000, handles, warnings };
  } catch {
    return {};
  }
}
