import { engineOf } from "../engine/engine.ts";
import type { Settings } from "../place/settings.ts";
import { runRemote } from "../remote/remote-program.ts";
import { parseLsn } from "../wal/lsn.ts";
import { storageTrouble } from "../wal/wal-error.ts";
import { segmentStart } from "../wal/wal-name.ts";
import { type ArchiveReport, reportArchive } from "./archive-status.ts";
import { askPrimary, type PrimaryStatus } from "./primary-status.ts";

/** Everything that walmgr knows about an archive and its primary. */
export interface Status {
  readonly archive: ArchiveReport | undefined;
  readonly archiveError: string | undefined;
  readonly primary: PrimaryStatus | undefined;
  readonly primaryError: string | undefined;
  /** what a loss of the primary's host now would lose; undefined: the primary or the archive does not tell */
  readonly possibleLoss: { readonly bytes: number; readonly seconds: number | undefined } | undefined;
  /** finished and begun segments that the archive does not have; undefined likewise */
  readonly lag: { readonly segments: number; readonly seconds: number } | undefined;
}

export async function collectStatus(settings: Settings): Promise<Status> {
  const [archive, archiveError] = await attempt(() => archiveReport(settings));
  const key = ["master_db", "primary_conninfo", "receive_conninfo", "slave_db"].find((each) =>
    settings.has(each),
  );
  const [primary, primaryError] =
    key === undefined
      ? [undefined, "no connect string is configured"]
      : await attempt(() => askPrimary(settings.config.get(key)));
  return {
    archive,
    archiveError,
    primary,
    primaryError,
    possibleLoss: possibleLoss(archive, primary),
    lag: archiveLag(archive, primary),
  };
}

async function attempt<T>(work: () => Promise<T>): Promise<[T | undefined, string | undefined]> {
  try {
    return [await work(), undefined];
  } catch (error) {
    return [undefined, error instanceof Error ? error.message : String(error)];
  }
}

async function archiveReport(settings: Settings): Promise<ArchiveReport> {
  const engine = engineOf(settings);
  if (engine !== undefined) return engine.report();
  if (settings.remote === undefined) return reportArchive(settings);
  const { code, stdout, stderr } = await runRemote(settings.remote, ["status", "--json", "--archive-only"]);
  if (code !== 0)
    throw storageTrouble(`${settings.remote.host}: ${stderr.trim().split("\n")[0] ?? `exit code ${code}`}`);
  return JSON.parse(stdout) as ArchiveReport;
}

function possibleLoss(
  archive: ArchiveReport | undefined,
  primary: PrimaryStatus | undefined,
): Status["possibleLoss"] {
  if (archive === undefined || primary === undefined || primary.isInRecovery) return undefined;
  const archived = archivedLsn(archive, primary);
  const received = archive.receiver === null ? 0n : parseLsn(archive.receiver.flushedLsn);
  const backedUp = backedUpLsn(archive);
  const safe = [archived, received, backedUp].reduce((a, b) => (a > b ? a : b));
  const bytes = primary.flushedLsn > safe ? Number(primary.flushedLsn - safe) : 0;
  if (bytes === 0) return { bytes, seconds: 0 };
  const times = [
    archive.secondsSinceArchived ?? primary.archiver.secondsSinceArchived ?? null,
    ...(archive.receiver === null ? [] : [archive.receiver.secondsSinceCaughtUp]),
    ...(backedUp === 0n ? [] : [archive.backups[0]?.ageSeconds ?? null]),
  ].filter((each) => each !== null);
  return { bytes, seconds: times.length === 0 ? undefined : Math.min(...times) };
}

/** The position up to which finished segments are archived; an engine names the newest one only. */
function archivedLsn(archive: ArchiveReport, { segmentSize }: PrimaryStatus): bigint {
  if (archive.archivedLsn !== null) return parseLsn(archive.archivedLsn);
  const { newestSegment } = archive;
  return newestSegment === null ? 0n : segmentStart(newestSegment, segmentSize) + BigInt(segmentSize);
}

function backedUpLsn({ backedUpLsn: lsn }: ArchiveReport): bigint {
  // A walmgr of another release on the archive's host may not tell.
  return lsn == null ? 0n : parseLsn(lsn);
}

/** A segment that is being written counts as behind only when something in it waits: seconds say since when. */
function archiveLag(archive: ArchiveReport | undefined, primary: PrimaryStatus | undefined): Status["lag"] {
  if (archive === undefined || primary === undefined || primary.isInRecovery) return undefined;
  const archived = archivedLsn(archive, primary) || backedUpLsn(archive);
  if (primary.flushedLsn <= archived) return { segments: 0, seconds: 0 };
  const whole = Number((primary.flushedLsn - archived) / BigInt(primary.segmentSize));
  const segments = archived === 0n ? (primary.archiver.waiting ?? 1) : whole;
  const sinceBackup = archive.backups[0]?.ageSeconds ?? Number.POSITIVE_INFINITY;
  return {
    segments,
    seconds:
      segments === 0
        ? 0
        : (archive.secondsSinceArchived ?? primary.archiver.secondsSinceArchived ?? sinceBackup),
  };
}
