import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SkytoolsError } from "../errors.ts";
import { removePathSync, writeNamedFileSync } from "../files/change-files.ts";
import { linkFileSync, renameFileSync } from "../files/take-name.ts";
import { processBegin } from "./process-begin.ts";

/** What a pidfile says about the process that wrote it. */
export type PidfileState =
  | { readonly state: "absent" }
  | { readonly state: "stale" }
  | { readonly state: "running"; readonly pid: number };

/** A pidfile is written soon after its process has begun. */
const begunToleranceMs = 5_000;

/** What administrative commands put after the name of the configured file. */
export const adminSuffix = ".admin";

/** Everybody may see whether a program runs, nobody else may say so. */
const fileMode = 0o644;

/** Looks at a pidfile. Only its first line counts, so files with more lines, as PostgreSQL's, can be asked about too.
 * This process itself does not count as running: in a container every start may get the same number. Nor does a process that has got
 * the number since, as after a crash of the machine.
 * @throws SkytoolsError PIDFILE when the content is not the number of a process
 * Source: spec/framework.md 3.2 */
export function probePidfile(path: string): PidfileState {
  const pid = readPidfile(path);
  if (pid === undefined) return { state: "absent" };
  if (pid === 0 || pid === process.pid || !isRunning(pid) || isSuccessor(path, pid))
    return { state: "stale" };
  return { state: "running", pid };
}

/** As {@link probePidfile}, for a program that wants to start: a running process is an error.
 * @throws SkytoolsError PIDFILE_BUSY */
export function checkPidfile(path: string): "absent" | "stale" {
  const found = probePidfile(path);
  if (found.state === "running") throw busy(path, found.pid);
  return found.state;
}

/** Sends a signal to the process that a pidfile names; 0 only asks.
 * @returns true when it was delivered, false when there is no file, no content, or no such process
 * @throws SkytoolsError PIDFILE when the content is not the number of a process, the system's error when the process is another user's */
export function signalPidfile(path: string, signal: NodeJS.Signals | 0): boolean {
  const pid = readPidfile(path);
  if (!pid || isSuccessor(path, pid)) return false;
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** The pidfile of this process. */
export class Pidfile {
  readonly path: string;
  readonly #content: string;
  #isOurs = false;

  /** @param lineEnd after the number; the original pgqd writes one, the Python programs do not */
  constructor(path: string, lineEnd: "" | "\n" = "") {
    this.path = path;
    this.#content = `${process.pid}${lineEnd}`;
  }

  /** Writes the file, which appears complete and only if no live process has it.
   * @returns "stale" when the file of a dead process was replaced
   * @throws SkytoolsError PIDFILE_BUSY, or PIDFILE when it cannot be written */
  create(): "new" | "stale" {
    const draft = `${this.path}.${process.pid}.new`;
    removeDeadDrafts(this.path);
    try {
      removePathSync(draft, { force: true });
      writeNamedFileSync(draft, this.#content, { mode: fileMode, flag: "wx" });
      const outcome = this.#claim(draft);
      this.#isOurs = true;
      return outcome;
    } catch (cause) {
      if (cause instanceof SkytoolsError) throw cause;
      const code = (cause as NodeJS.ErrnoException).code;
      throw new SkytoolsError("PIDFILE", `cannot write pidfile ${this.path} (${code})`, {
        cause,
        hint: code === "ENOENT" ? "Create the directory first." : undefined,
      });
    } finally {
      removePathSync(draft, { force: true });
    }
  }

  /** Removes the file if this process has written it. Never throws. */
  remove(): void {
    if (!this.#isOurs) return;
    this.#isOurs = false;
    try {
      if (readPidfile(this.path) === process.pid) removePathSync(this.path, { force: true });
    } catch {
      // The process ends anyway, and the next start recognises the file as stale.
    }
  }

  #claim(draft: string): "new" | "stale" {
    for (let attempt = 0; attempt < 10; attempt++) {
      if (linkIfFree(draft, this.path, this.#content)) return "new";
      if (checkPidfile(this.path) === "stale" && this.#takeOver(draft)) return "stale";
    }
    throw busy(this.path, undefined);
  }

  /** Replaces the file of a dead process. Whoever does this holds a lock file, so that of two programs that find the same
   * stale file only one replaces it. */
  #takeOver(draft: string): boolean {
    const lock = `${this.path}.lock`;
    if (!linkIfFree(draft, lock, this.#content)) {
      if (probePidfile(lock).state === "stale") removePathSync(lock, { force: true });
      return false;
    }
    try {
      if (probePidfile(this.path).state !== "stale") return false;
      renameFileSync(draft, this.path);
      return true;
    } finally {
      removePathSync(lock, { force: true });
    }
  }
}

/** What processes have left that died before they gave their draft its name. What cannot be removed stays: it is in nobody's way. */
function removeDeadDrafts(path: string): void {
  const directory = dirname(path);
  const prefix = `${basename(path)}.`;
  try {
    for (const name of readdirSync(directory)) {
      const pid = name.startsWith(prefix) ? /^(\d+)\.new$/.exec(name.slice(prefix.length))?.[1] : undefined;
      if (pid !== undefined && !isRunning(Number(pid)))
        removePathSync(join(directory, name), { force: true });
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
}

function busy(path: string, pid: number | undefined): SkytoolsError {
  const which = pid === undefined ? path : `${path}, pid ${pid}`;
  return new SkytoolsError("PIDFILE_BUSY", `Pidfile exists, another process running? (${which})`, {
    // Those switches stop the worker, whatever the command.
    hint: path.endsWith(adminSuffix)
      ? "A command that changes the same node is at work: wait until it has ended."
      : "Stop that process with -s or -k first.",
  });
}

/** pid_t has 32 bits with sign. */
const largestPid = 2 ** 31 - 1;

/** The number in a pidfile, 0 when it is empty, undefined when there is no file. */
function readPidfile(path: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const line = text.split("\n", 1)[0]!.trim();
  if (line === "") return 0;
  if (!/^\d{1,10}$/.test(line) || Number(line) > largestPid)
    throw new SkytoolsError("PIDFILE", `Corrupt pidfile: ${path}`);
  return Number(line);
}

/** True also for a process that belongs to somebody else. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether a process has the number of the one that wrote the file. It began after that; but so it seems of the writer itself when the
 * clock was set meanwhile, and then its command line has the configuration file that ours has. */
function isSuccessor(path: string, pid: number): boolean {
  const begun = processBegin(pid);
  const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (begun === undefined || written === undefined || begun <= written + begunToleranceMs) return false;
  try {
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    const files = process.argv.slice(2).filter((word) => existsSync(word));
    return !files.some((file) => commandLine.includes(basename(file)));
  } catch {
    return false;
  }
}

/** A killed daemon stays in the process table until its parent asks for it; the first process of a container may take its time
 * or never do it. Source: proc(5), /proc/<pid>/stat, the field after the command name in parentheses. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.charAt(stat.lastIndexOf(")") + 2) === "Z";
  } catch {
    return false;
  }
}

/** Gives a draft its name unless that is taken. A file system without hard links gets the content a moment after the name. */
function linkIfFree(draft: string, path: string, content: string): boolean {
  try {
    linkFileSync(draft, path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code === "EEXIST") return false;
    if (!["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"].includes(code)) throw error;
  }
  try {
    writeNamedFileSync(path, content, { flag: "wx", mode: fileMode });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
