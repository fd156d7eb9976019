import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Job } from "@skytools/skytools";
import { createDirectory } from "@skytools/skytools";
import { claimIdentity } from "../archive/archive-identity.ts";
import { replaceFile } from "../archive/durable-file.ts";
import type { Settings } from "../place/settings.ts";
import { type Expiry, expire } from "../retention/expire.ts";
import { WalError } from "../wal/wal-error.ts";
import { BackupLock } from "./backup-lock.ts";
import type { BackupPart, BackupRange } from "./base-backup.ts";
import type { BackupWriter } from "./pump-backup.ts";
import { publishSet, settleNewSet } from "./rotate-sets.ts";
import { listSets, newSetPath, type SetInfo } from "./set-info.ts";
import { type SetPlan, SetWriter } from "./set-writer.ts";

/** The place a backup goes to. In this order: `begin`, parts with data, the manifest with data, `finish`. */
export interface SetTarget extends BackupWriter {
  /** Takes the backup lock. @throws WalError when a backup is running, or the archive is another cluster's */
  begin(plan: SetPlan): Promise<void>;
  /** The manifest of the newest set of this cluster, which an incremental backup can be based on. */
  newestManifest(
    systemIdentifier: string,
  ): Promise<{ readonly id: string; readonly manifest: Buffer } | undefined>;
  /** Names of configuration files with their content, for `config_backup`. Bytes are characters: it need not be UTF-8. */
  storeConfig(files: Readonly<Record<string, string>>): Promise<void>;
  /** Makes the set the newest one; only then older ones may go. */
  finish(range: BackupRange): Promise<{ readonly info: SetInfo; readonly expiry: Expiry }>;
  /** After a failure: nothing is left but the older sets. Safe to repeat. */
  abandon(): Promise<void>;
}

/** Backup sets of this host. */
export class LocalSetTarget implements SetTarget {
  readonly #job: Job;
  readonly #settings: Settings;
  readonly #lock: BackupLock;
  readonly #writer: SetWriter;
  #plan: SetPlan | undefined;

  constructor(job: Job, settings: Settings) {
    this.#job = job;
    this.#settings = settings;
    this.#lock = new BackupLock(settings.paths.completed);
    this.#writer = new SetWriter(newSetPath(settings.paths.fullBackup), settings.backupCodec);
  }

  async begin(plan: SetPlan): Promise<void> {
    await this.#lock.take();
    try {
      const { completed, fullBackup } = this.#settings.paths;
      await claimIdentity(completed, plan);
      const settled = await settleNewSet(fullBackup);
      if (settled !== undefined) this.#job.log.warn(settled);
      await this.#writer.begin();
      this.#plan = plan;
    } catch (error) {
      await this.#lock.release();
      throw error;
    }
  }

  async newestManifest(systemIdentifier: string) {
    const sets = await listSets(this.#settings.paths.fullBackup);
    const base = sets.find(
      (set) => set.info.systemIdentifier === systemIdentifier && set.info.serverVersion > 0,
    );
    if (base === undefined) return undefined;
    return { id: base.info.id, manifest: await readFile(join(base.path, "backup_manifest")) };
  }

  beginPart(part: BackupPart): void {
    this.#writer.beginPart(part);
  }

  beginManifest(): void {
    this.#writer.beginManifest();
  }

  data(chunk: Buffer): boolean {
    return this.#writer.data(chunk);
  }

  drained(): Promise<void> {
    return this.#writer.drained();
  }

  async storeConfig(files: Readonly<Record<string, string>>): Promise<void> {
    const directory = this.#settings.paths.configBackup;
    if (directory === "") return;
    await createDirectory(directory, { recursive: true, mode: 0o700 });
    for (const [name, content] of Object.entries(files)) {
      if (!/^[\w][\w.-]*\.conf$/.test(name))
        throw new WalError(`"${name}" is not the name of a configuration file`);
      await replaceFile(join(directory, name), Buffer.from(content, "latin1"));
    }
  }

  async finish(range: BackupRange) {
    if (this.#plan === undefined) throw new Error("finish() before begin()");
    const info = await this.#writer.finish(this.#plan, range);
    await publishSet(this.#settings.paths.fullBackup);
    const expiry = await expire(this.#job, this.#settings);
    await this.#lock.release();
    return { info, expiry };
  }

  async abandon(): Promise<void> {
    if (this.#plan !== undefined) await this.#writer.abandon();
    await this.#lock.release();
  }
}
