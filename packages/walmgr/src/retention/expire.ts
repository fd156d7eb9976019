import { spawnSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crashPoint, type Job, removePath, renameFile } from "@skytools/skytools";
import { syncDirectory } from "../archive/durable-file.ts";
import { type BackupSet, listSets } from "../backup/set-info.ts";
import { isDryRun } from "../place/dry-run.ts";
import type { Settings } from "../place/settings.ts";
import { parseLsn } from "../wal/lsn.ts";
import { WalError } from "../wal/wal-error.ts";
import { segmentAt, segmentNumber } from "../wal/wal-name.ts";
import { durationSeconds } from "./duration.ts";
import { planKeep } from "./keep-plan.ts";
import { firstNeededSegment, removeWal, unneededWal } from "./wal-purge.ts";

/** What retention would remove, or has removed. */
export interface Expiry {
  readonly sets: readonly string[];
  readonly wal: readonly string[];
  readonly partialWal: readonly string[];
}

/** Removes backup sets and WAL that nobody needs, sets first: a set without its WAL is worth nothing.
 * Source: spec/walmgr.md 6.6, 12.4 */
export async function expire(job: Job, settings: Settings): Promise<Expiry> {
  const { fullBackup, completed, partial } = settings.paths;
  const { kept, expired } = await planExpiry(settings);
  if (!isDryRun(job)) {
    for (const set of expired) await removeSet(job, settings, set);
    // A set that comes back after a power failure must have its WAL.
    if (expired.length > 0) await syncDirectory(dirname(fullBackup));
  }
  const needed = await firstNeededSegment(kept, completed);
  const wal = needed === undefined ? [] : await unneededWal(completed, needed);
  const partialWal = needed === undefined ? [] : await unneededWal(partial, needed);
  if (!isDryRun(job)) {
    crashPoint("expire.before-wal");
    await removeWal(completed, wal);
    await removeWal(partial, partialWal);
    await removeLeftovers(dirname(fullBackup));
  }
  return { sets: expired.map((set) => set.name), wal, partialWal };
}

async function planExpiry(settings: Settings) {
  const { config, paths } = settings;
  const sets = await listSets(paths.fullBackup);
  const stored = new Set((await settings.localArchive().list()).map((file) => file.name));
  return planKeep(
    sets,
    {
      count: config.getInt("keep_backups"),
      windowSeconds: settings.has("keep_window") ? durationSeconds(config, "keep_window") : undefined,
      nowMs: Date.now(),
    },
    (set) => set.info.includesWal || missingForConsistency(set, stored).length === 0,
  );
}

/** The segments that a set needs to become consistent and that the archive does not have. */
export function missingForConsistency({ info }: BackupSet, stored: ReadonlySet<string>): string[] {
  const missing: string[] = [];
  const last = segmentNumber(
    segmentAt(info.timeline, parseLsn(info.stopLsn), info.segmentSize),
    info.segmentSize,
  );
  for (let number = segmentNumber(info.firstSegment, info.segmentSize); number <= last; number++) {
    const name = segmentAt(info.timeline, number * BigInt(info.segmentSize), info.segmentSize);
    if (!stored.has(name)) missing.push(name);
  }
  return missing;
}

/** First out of the list of sets, in one step, then away. */
async function removeSet(job: Job, settings: Settings, set: BackupSet): Promise<void> {
  const command = settings.config.get("archive_command");
  if (command !== "" && settings.role === "standby") runArchiveCommand(command, set.path);
  const doomed = join(dirname(set.path), `.expired-${set.name}-${process.pid}`);
  await renameFile(set.path, doomed);
  crashPoint("expire.renamed");
  await removePath(doomed, { recursive: true, force: true });
  job.log.info(`removed backup set ${set.name} (${set.info.id})`);
}

/** Sets that an interrupted call had taken out of the list. */
async function removeLeftovers(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (name.startsWith(".expired-")) await removePath(join(root, name), { recursive: true, force: true });
  }
}

/** The administrator's own archiving of expired sets. $BACKUPDIR reaches it in the environment, which is what the shell
 * makes of the text; a path is never pasted into a command line. */
function runArchiveCommand(command: string, path: string): void {
  const run = spawnSync("/bin/sh", ["-c", command], {
    stdio: ["ignore", 2, 2],
    env: { ...process.env, BACKUPDIR: path },
  });
  if (run.status !== 0) {
    throw new WalError(
      `archive_command failed for ${path} (exit code ${run.status ?? run.signal}): the set stays`,
    );
  }
}
