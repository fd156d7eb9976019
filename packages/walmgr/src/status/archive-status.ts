import { statfs } from "node:fs/promises";
import { auditNames } from "../audit/audit-archive.ts";
import { BackupLock } from "../backup/backup-lock.ts";
import { isSameProcess } from "../place/process-identity.ts";
import type { Settings } from "../place/settings.ts";
import { keptFiles } from "../receive/kept-segment.ts";
import { readReceiverState } from "../receive/receiver-state.ts";
import { formatLsn } from "../wal/lsn.ts";
import { parseWalName, segmentStart } from "../wal/wal-name.ts";

/** What an archive tells about itself; plain data, because it may come from another host. */
export interface ArchiveReport {
  readonly place: string;
  readonly systemIdentifier: string | null;
  /** null: an engine does not tell */
  readonly walFiles: number | null;
  readonly walBytes: number | null;
  readonly newestSegment: string | null;
  /** everything before it is in finished segments of the newest timeline */
  readonly archivedLsn: string | null;
  readonly secondsSinceArchived: number | null;
  /** up to where the newest backup set goes without the archive; null: it needs that, or an engine does not tell */
  readonly backedUpLsn: string | null;
  readonly gaps: readonly string[];
  readonly backups: readonly {
    readonly name: string;
    readonly id: string;
    readonly stopTime: string;
    readonly ageSeconds: number;
    readonly sizeBytes: number;
    readonly isIncremental: boolean;
  }[];
  readonly backupRunning: boolean;
  readonly receiver: {
    readonly isRunning: boolean;
    readonly flushedLsn: string;
    readonly timeline: number;
    readonly secondsSinceCaughtUp: number | null;
  } | null;
  /** null: an engine keeps the archive */
  /** files with what was received of segments that the archive holds otherwise */
  readonly keptFiles: readonly string[];
  readonly freeBytes: number | null;
  /** at the rate of the last day; null: no WAL came, or there is no telling */
  readonly secondsUntilFull: number | null;
}

const rateWindowMs = 86_400_000;

/** @throws WalError exit code 2 when the archive cannot be read */
export async function reportArchive(settings: Settings): Promise<ArchiveReport> {
  const now = Date.now();
  const { files, sets, problems } = await auditNames(settings);
  const identity = await settings.localArchive().identity();
  const segments = files.filter((file) => parseWalName(file.name)?.kind === "segment");
  const newest = segments.at(-1);
  const size = identity?.segmentSize;
  const recent = segments.filter((file) => now - file.modifiedMs < rateWindowMs);
  const recentBytes = recent.reduce((sum, file) => sum + file.sizeBytes, 0);
  const oldestMs = Math.min(...recent.map((file) => file.modifiedMs), now);
  const { bavail, bsize } = await statfs(settings.paths.completed);
  const freeBytes = bavail * bsize;
  const bytesPerSecond = recentBytes / Math.max(60, (now - oldestMs) / 1000);
  const state = readReceiverState(settings.paths.partial);
  return {
    place: settings.paths.completed,
    systemIdentifier: identity?.systemIdentifier ?? null,
    walFiles: files.length,
    walBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    newestSegment: newest?.name ?? null,
    archivedLsn:
      newest === undefined || size === undefined
        ? null
        : formatLsn(segmentStart(newest.name, size) + BigInt(size)),
    secondsSinceArchived: newest === undefined ? null : (now - newest.modifiedMs) / 1000,
    backedUpLsn: sets[0]?.info.includesWal === true ? sets[0].info.stopLsn : null,
    gaps: problems,
    backups: sets.map(({ name, info }) => ({
      name,
      id: info.id,
      stopTime: info.stopTime,
      ageSeconds: (now - Date.parse(info.stopTime)) / 1000,
      sizeBytes: info.sizeBytes,
      isIncremental: info.basedOn !== undefined,
    })),
    backupRunning: (await new BackupLock(settings.paths.completed).liveHolder()) !== undefined,
    receiver:
      state === undefined
        ? null
        : {
            isRunning: isSameProcess(state.pid, undefined) && now - Date.parse(state.updatedAt) < 60_000,
            flushedLsn: state.flushedLsn,
            timeline: state.timeline,
            secondsSinceCaughtUp:
              state.caughtUpAt === undefined ? null : (now - Date.parse(state.caughtUpAt)) / 1000,
          },
    keptFiles: await keptFiles(settings.paths.partial),
    freeBytes,
    secondsUntilFull: bytesPerSecond > 0 ? freeBytes / bytesPerSecond : null,
  };
}
