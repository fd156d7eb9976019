import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  crashPoint,
  createDirectorySync,
  createSymlinkSync,
  type Job,
  removePath,
  removePathSync,
  renameFile,
  setModeSync,
} from "@skytools/skytools";
import { makeDirectory, syncDirectory } from "../archive/durable-file.ts";
import { syncTree } from "../archive/sync-tree.ts";
import type { SetStore } from "../backup/set-store.ts";
import { errorCode, storageTrouble, WalError } from "../wal/wal-error.ts";
import { emptyDirectory, isLeftOver, markRestoring, refuseOccupied, unmarkRestoring } from "./left-over.ts";
import { moveWal } from "./move-wal.ts";
import { type RestorePlan, restoringPath } from "./restore-plan.ts";
import { type ServerSettings, writeAutoConf } from "./server-settings.ts";
import { type SignalFile, writeSignalFile } from "./signal-file.ts";
import { unpackChain } from "./unpack-chain.ts";

export interface RestoreOptions {
  /** for `postgresql.auto.conf` */
  readonly serverSettings: ServerSettings;
  readonly signalFile: SignalFile;
  /** WAL directory outside of the data directory; "": inside */
  readonly walDirectory: string;
  /** the old data directory goes instead of being set aside */
  readonly deletesOld: boolean;
  /** where the backup sets are */
  readonly sets: SetStore;
}

/** for whoever cannot give a tablespace another place */
export const occupiedHint =
  "Move what is in it to another directory: it may belong to the old data directory.";

/** Puts a data directory together beside its place and moves it there when it is complete: until that moment the old one is
 * as it was, and what an interrupted restore leaves is in nobody's way.
 * @throws WalError; nothing has changed then
 * Source: spec/walmgr.md 5.5, 12.4 */
export async function restoreSet(job: Job, plan: RestorePlan, options: RestoreOptions): Promise<void> {
  const { dataDirectory, tablespaces } = plan;
  const fresh = restoringPath(dataDirectory);
  const scratch = `${fresh}.chain`;
  const { walDirectory } = options;
  const outside = [...tablespaces.values(), ...(walDirectory === "" ? [] : [walDirectory])];
  for (const directory of outside) if (isLeftOver(fresh, directory)) emptyDirectory(directory);
  await removePath(fresh, { recursive: true, force: true });
  await removePath(scratch, { recursive: true, force: true });
  unmarkRestoring(fresh, []);
  for (const directory of tablespaces.values()) refuseOccupied(fresh, directory, occupiedHint);
  if (walDirectory !== "") refuseOccupied(fresh, walDirectory, "Move its contents away.", "WAL");
  const made: string[] = [];
  try {
    createDirectorySync(dirname(fresh), { recursive: true });
    createDirectorySync(fresh, { mode: 0o700 });
    for (const directory of outside) {
      await makeDirectory(directory);
      made.push(directory);
    }
    markRestoring(fresh, made);
    crashPoint("restore.begin");
    await unpackChain(
      options.sets,
      plan.chain,
      (oid) => (oid === undefined ? fresh : tablespaces.get(oid)!),
      scratch,
    );
    crashPoint("restore.unpacked");
    prepareTree(fresh, tablespaces);
    await writeAutoConf(fresh, options.serverSettings);
    if (walDirectory !== "") await moveWal(fresh, walDirectory);
    for (const directory of [fresh, ...tablespaces.values()]) await syncTree(directory);
    await writeSignalFile(fresh, options.signalFile);
    crashPoint("restore.complete");
    await takePlace(job, fresh, plan, options.deletesOld);
    unmarkRestoring(fresh, made);
  } catch (error) {
    // In its place, it is not to be taken apart any more, whatever failed then.
    if (!existsSync(fresh)) throw error;
    for (const directory of made) emptyDirectory(directory);
    await removePath(fresh, { recursive: true, force: true });
    await removePath(scratch, { recursive: true, force: true });
    unmarkRestoring(fresh, []);
    const code = errorCode(error);
    if (error instanceof WalError || code === undefined) throw error;
    throw storageTrouble(`cannot restore to ${dataDirectory} (${code}): nothing was changed`, error);
  }
}

function prepareTree(data: string, tablespaces: ReadonlyMap<string, string>): void {
  setModeSync(data, 0o700);
  for (const name of ["pg_wal", "pg_wal/archive_status", "pg_tblspc"]) {
    createDirectorySync(join(data, name), { recursive: true, mode: 0o700 });
  }
  for (const [oid, directory] of tablespaces) createSymlinkSync(directory, join(data, "pg_tblspc", oid));
  for (const name of [
    "postmaster.pid",
    "postmaster.opts",
    "recovery.conf",
    "recovery.done",
    "standby.signal",
  ]) {
    removePathSync(join(data, name), { force: true });
  }
}

/** Moves a finished data directory to its place; the old one goes aside, or away. */
export async function takePlace(
  job: Job,
  fresh: string,
  plan: Pick<RestorePlan, "dataDirectory" | "setAside">,
  deletesOld: boolean,
): Promise<void> {
  const { dataDirectory, setAside } = plan;
  if (setAside !== undefined) await renameFile(dataDirectory, setAside);
  crashPoint("restore.old-set-aside");
  try {
    await renameFile(fresh, dataDirectory);
  } catch (error) {
    if (setAside !== undefined) await renameFile(setAside, dataDirectory);
    throw error;
  }
  await syncDirectory(dirname(dataDirectory));
  crashPoint("restore.done");
  if (setAside === undefined) return;
  if (deletesOld) await removePath(setAside, { recursive: true, force: true });
  else job.log.info(`The old data directory is ${setAside} now`);
}
