import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { linkFile, removePath, renameFile, writeNamedFile } from "@skytools/skytools";
import { draftPath, removeOldDrafts, replaceFile } from "../archive/durable-file.ts";
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

export interface ProcessLockOptions {
  /** what to say when somebody holds it */
  readonly busy: (holder: LockHolder, path: string) => WalError;
  /** One that was written on another host counts, as its process cannot be looked at. */
  readonly isShared: boolean;
}

/** A file that names the process for which it is there. */
export class ProcessLock {
  readonly path: string;
  readonly #options: ProcessLockOptions;
  #isOurs = false;

  constructor(path: string, options: ProcessLockOptions) {
    this.path = path;
    this.#options = options;
  }

  /** Who has written it, dead or alive.
   * @returns undefined when nobody has; an empty file, as the original leaves it, has a holder without number */
  holder(): Promise<LockHolder | undefined> {
    return holderOf(this.path);
  }

  /** @returns undefined also when its process has died */
  async liveHolder(): Promise<LockHolder | undefined> {
    const holder = await this.holder();
    return holder !== undefined && this.#isAlive(holder) ? holder : undefined;
  }

  /** Takes the lock; one of a process that has died is taken over.
   * @throws WalError when somebody holds it */
  take(): Promise<void> {
    return this.#take(lockContent(process.pid, hostname()));
  }

  /** As {@link take}, for a process of another host, of which only the number is known: it counts as alive until the lock is removed. */
  takeForOther(pid: number): Promise<void> {
    return this.#take(String(pid));
  }

  async #take(content: string): Promise<void> {
    const draft = draftPath(this.path);
    try {
      await removeOldDrafts(this.path);
      // Whatever has its name, a link of somebody else's perhaps, is not written through.
      await removePath(draft, { force: true });
      await writeNamedFile(draft, content, { flag: "wx", mode: 0o600 });
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
      if (attempt === mostAttempts || (holder !== undefined && this.#isAlive(holder)))
        throw this.#options.busy(holder ?? unknownHolder, this.path);
      if (holder !== undefined && (await this.#takeOver(draft))) return;
    }
  }

  /** Replaces the lock of a dead process. Whoever does this holds a lock for it, so that of two that find the same dead lock only
   * one replaces it. */
  async #takeOver(draft: string): Promise<boolean> {
    const taking = `${this.path}.taking`;
    if (!(await isLinked(draft, taking))) {
      const other = await holderOf(taking);
      if (other !== undefined && !this.#isAlive(other)) await removePath(taking, { force: true });
      return false;
    }
    try {
      const holder = await this.holder();
      if (holder === undefined || this.#isAlive(holder)) return false;
      await renameFile(draft, this.path);
      return true;
    } finally {
      await removePath(taking, { force: true });
    }
  }

  /** Our lock is that of a process which this one has started: it is held for as long as that one runs, also without us. */
  async passTo(pid: number): Promise<void> {
    await replaceFile(this.path, lockContent(pid, hostname()));
  }

  /** A process that wrote no start time cannot be told from another one with its number: it counts as alive. */
  #isAlive(holder: LockHolder): boolean {
    if (holder.host !== hostname()) return this.#options.isShared;
    return isSameProcess(holder.pid, holder.startTime);
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

function lockContent(pid: number, host: string): string {
  return JSON.stringify({ pid, host, startTime: processStartTime(pid), since: new Date().toISOString() });
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
