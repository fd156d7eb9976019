import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { linkFile, removePath, renameFile, writeNamedFile } from "@skytools/skytools";
import { errorCode, storageTrouble, WalError } from "../wal/wal-error.ts";
import { isSameProcess, processStartTime } from "./process-identity.ts";

/** Who holds the lock. */
export interface LockHolder {
  readonly pid: number;
  /** undefined: written by the original walmgr, which stores only the number of a process on the primary */
  readonly host: string | undefined;
  readonly startTime: string | undefined;
  readonly since: string | undefined;
}

const unknownHolder: LockHolder = { pid: 0, host: undefined, startTime: undefined, since: undefined };

/** To take a lock over, when others want it at the same moment. */
const mostAttempts = 20;

/** One backup at a time: `logs.complete/BACKUPLOCK`.
 * Source: spec/walmgr.md 6.5 */
export class BackupLock {
  readonly path: string;
  #isOurs = false;

  constructor(completedWals: string) {
    this.path = join(completedWals, "BACKUPLOCK");
  }

  /** @returns undefined when nobody holds it; an empty file, as the original leaves it, has a holder without number */
  holder(): Promise<LockHolder | undefined> {
    return holderOf(this.path);
  }

  /** Takes the lock; one of a process of this host that has died is taken over.
   * @param pid whose lock it is; default: this process
   * @throws WalError when somebody holds it */
  async take(pid = process.pid, host: string | undefined = hostname()): Promise<void> {
    const content =
      host === undefined
        ? String(pid)
        : JSON.stringify({ pid, host, startTime: processStartTime(pid), since: new Date().toISOString() });
    const draft = `${this.path}.${process.pid}.tmp`;
    try {
      await writeNamedFile(draft, content, { mode: 0o600 });
      await this.#claim(draft);
      this.#isOurs = true;
    } catch (error) {
      if (error instanceof WalError) throw error;
      const hint =
        errorCode(error) === "ENOENT" ? "Run setup first: it makes the archive's directories." : undefined;
      throw storageTrouble(`cannot write ${this.path} (${errorCode(error)})`, error, hint);
    } finally {
      await removePath(draft, { force: true });
    }
  }

  async #claim(draft: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      if (await isLinked(draft, this.path)) return;
      const holder = await this.holder();
      if (attempt === mostAttempts || (holder !== undefined && isAlive(holder)))
        throw this.#busy(holder ?? unknownHolder);
      if (holder !== undefined && (await this.#takeOver(draft))) return;
    }
  }

  /** Replaces the lock of a dead process. Whoever does this holds a lock for it, so that of two that find the same dead lock only
   * one replaces it. */
  async #takeOver(draft: string): Promise<boolean> {
    const taking = `${this.path}.taking`;
    if (!(await isLinked(draft, taking))) {
      const other = await holderOf(taking);
      if (other !== undefined && !isAlive(other)) await removePath(taking, { force: true });
      return false;
    }
    try {
      const holder = await this.holder();
      if (holder === undefined || isAlive(holder)) return false;
      await renameFile(draft, this.path);
      return true;
    } finally {
      await removePath(taking, { force: true });
    }
  }

  #busy({ pid, host, since }: LockHolder): WalError {
    const who =
      host === undefined ? `process ${pid || "unknown"} of the primary` : `process ${pid} on ${host}`;
    const time = since === undefined ? "" : ` since ${since}`;
    return new WalError(`a backup is running: ${who} holds ${this.path}${time}`, {
      hint: "When that process is gone, walmgr xrelease removes the lock.",
    });
  }

  /** Removes the lock, whoever holds it. */
  async remove(): Promise<void> {
    await removePath(this.path, { force: true });
  }

  /** Removes the lock if this object has taken it. */
  async release(): Promise<void> {
    if (this.#isOurs) await this.remove();
    this.#isOurs = false;
  }
}

async function holderOf(path: string): Promise<LockHolder | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw storageTrouble(`cannot read ${path} (${errorCode(error)})`, error);
  }
  if (/^\s*\d*\s*$/.test(text)) return { ...unknownHolder, pid: Number(text) };
  try {
    return { ...unknownHolder, ...(JSON.parse(text) as Partial<LockHolder>) };
  } catch {
    return unknownHolder;
  }
}

/** Gives a draft its name. @returns false when that is taken */
async function isLinked(draft: string, path: string): Promise<boolean> {
  try {
    await linkFile(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** A process of another host, or one that wrote no start time, cannot be looked at: it counts as alive. */
function isAlive(holder: LockHolder): boolean {
  if (holder.host !== hostname()) return true;
  return isSameProcess(holder.pid, holder.startTime);
}
