import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Environment variable by whose value a program and whatever it starts, daemons too, are recognised. */
export const markVariable = "SKYTOOLS_TESTBED_RUN";

/** Beginning of the marks of all programs of this process. */
export const runMark: string = randomUUID();

let programCount = 0;

/** A mark for one program: its descendants inherit it. */
export function nextProgramMark(): string {
  programCount += 1;
  return `${runMark}/${programCount}/`;
}

/** Kills every process whose mark starts so, until none is left: one may fork while we look. Without /proc nothing is
 * found. */
export function killMarked(mark: string): void {
  for (let pass = 0; pass < 10; pass += 1) {
    const pids = markedProcesses(mark);
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid);
  }
}

function markedProcesses(mark: string): number[] {
  const wanted = `${markVariable}=${mark}`;
  return otherProcesses().filter((pid) => environment(pid).some((e) => e.startsWith(wanted)));
}

/** Kills every process whose working directory it is: a server and its children, for its data directory. Without /proc nothing
 * is found. */
export function killWorkingIn(directory: string): void {
  for (const pid of otherProcesses()) if (workingDirectory(pid) === directory) kill(pid);
}

function otherProcesses(): number[] {
  const names = entries("/proc").filter((name) => /^\d+$/.test(name));
  return names.map(Number).filter((pid) => pid !== process.pid);
}

/** Undefined for processes of others and those that ended meanwhile. */
function workingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function entries(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

/** Empty for processes of others, zombies and those that ended meanwhile. */
function environment(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
  } catch {
    return [];
  }
}

/** SIGKILL for a process, or for a process group when negative; one that is gone already is fine. */
export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
