import { type BackupManifest, parseManifest } from "./manifest.ts";
import type { PartSink } from "./read-set.ts";
import { manifestBytes, readSet } from "./read-set.ts";
import { type BackupSet, listSets } from "./set-info.ts";

/** Backup sets that can be read, on this host or another one. */
export interface SetStore {
  /** The finished sets, newest first. @throws WalError exit code 2 when they cannot be read */
  list(): Promise<BackupSet[]>;
  /** @throws WalError when the manifest is missing or damaged */
  manifest(set: BackupSet): Promise<BackupManifest>;
  /** Gives everything in a set to sinks, part by part. @throws WalError when it cannot be read */
  read(set: BackupSet, sinkOf: PartSink): Promise<void>;
  close(): void;
}

/** Backup sets of this host. */
export class LocalSetStore implements SetStore {
  readonly #fullBackup: string;

  /** @param fullBackup path of the newest set */
  constructor(fullBackup: string) {
    this.#fullBackup = fullBackup;
  }

  list(): Promise<BackupSet[]> {
    return listSets(this.#fullBackup);
  }

  async manifest(set: BackupSet): Promise<BackupManifest> {
    return parseManifest(await manifestBytes(set), `${set.path}/backup_manifest`);
  }

  read(set: BackupSet, sinkOf: PartSink): Promise<void> {
    return readSet(set, sinkOf);
  }

  close(): void {}
}
