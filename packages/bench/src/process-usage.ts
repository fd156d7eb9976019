import { readFileSync } from "node:fs";

/** the kernel's unit in /proc, which is 100 a second on every Linux of today */
const jiffiesPerSecond = 100;

/** Processor time that a process has used, seconds. Source: proc(5), /proc/<pid>/stat, utime and stime */
export function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / jiffiesPerSecond;
}

/** Largest resident memory of a process so far, MB. Source: proc(5), /proc/<pid>/status, VmHWM */
export function peakMemoryMb(pid: number): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  return Number(match?.[1] ?? Number.NaN) / 1024;
}
