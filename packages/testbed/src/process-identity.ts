import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it was started: an opaque text that differs between two processes with the same pid. */
  readonly startTime: string;
}

const hasProc = existsSync("/proc/self/stat");

/** When the process was started, or undefined when there is none (a zombie counts as none).
 * Source: proc(5), fields 3 (state) and 22 (starttime, in ticks since boot); hence the boot id. */
export function processStartTime(pid: number): string | undefined {
  if (!hasProc) return startTimeFromPs(pid);
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The command name in field 2 may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return `${boot}/${fields[19]}`;
}

function startTimeFromPs(pid: number): string | undefined {
  try {
    const text = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}

/** @throws Error when the process does not exist */
export function identifyProcess(pid: number): ProcessIdentity {
  const startTime = processStartTime(pid);
  if (startTime === undefined) throw new Error(`process ${pid} does not exist`);
  return { pid, startTime };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return processStartTime(identity.pid) === identity.startTime;
}
