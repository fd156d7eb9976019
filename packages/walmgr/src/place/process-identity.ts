import { readFileSync } from "node:fs";

/** When a process was started, as a text that differs between two processes with the same number; undefined when there
 * is no such process, or the system does not tell.
 * Source: proc(5), field 22 of stat */
export function processStartTime(pid: number): string | undefined {
  return look(pid)?.startTime;
}

function look(
  pid: number,
): { readonly isZombie: boolean; readonly startTime: string | undefined } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { isZombie: fields[0] === "Z", startTime: fields[19] };
  } catch {
    return undefined;
  }
}

/** Whether the process that wrote its number and start time somewhere still runs. One that was killed stays in the process table until
 * its parent asks for it, which the first process of a container may never do. */
export function isSameProcess(pid: number, startTime: string | undefined): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const now = look(pid);
  if (now?.isZombie === true) return false;
  return startTime === undefined || now?.startTime === undefined || now.startTime === startTime;
}
