import { formatBytes, formatDuration } from "@skytools/skytools";
import type { Settings } from "../place/settings.ts";
import type { ArchiveReport } from "./archive-status.ts";
import type { SlotStatus } from "./primary-status.ts";
import type { Status } from "./status.ts";

export type Severity = "ok" | "warning" | "critical";

/** One thing that was looked at. */
export interface Finding {
  readonly check: string;
  readonly severity: Severity;
  readonly text: string;
}

const fullSoonSeconds = 3 * 86_400;
const fullNowSeconds = 6 * 3600;

/** Judges a status, the worst first.
 * Source: spec/walmgr.md 12.1, 12.3 */
export function judge(settings: Settings, status: Status): Finding[] {
  const findings = [
    ...judgeReach(status),
    ...judgeArchiving(settings, status),
    ...judgeBackups(settings, status),
    ...judgeReceiver(status),
    ...judgeSlots(status),
    ...(status.archive === undefined ? [] : spaceFindings(status.archive)),
  ];
  const rank: Record<Severity, number> = { critical: 0, warning: 1, ok: 2 };
  return findings.sort((a, b) => rank[a.severity] - rank[b.severity]);
}

function judgeReach({ archive, archiveError, primary, primaryError }: Status): Finding[] {
  const findings: Finding[] = [];
  if (archive === undefined)
    findings.push({ check: "archive", severity: "critical", text: archiveError ?? "unknown" });
  if (primary === undefined)
    findings.push({ check: "primary", severity: "warning", text: primaryError ?? "unknown" });
  const owner = archive?.systemIdentifier ?? null;
  if (owner !== null && primary !== undefined && owner !== primary.systemIdentifier) {
    const text = `the archive is of system ${owner}, the primary is ${primary.systemIdentifier}`;
    findings.push({ check: "system", severity: "critical", text });
  }
  return findings;
}

function judgeArchiving(settings: Settings, { archive, primary, lag }: Status): Finding[] {
  const findings: Finding[] = [];
  if (archive !== undefined) {
    findings.push(
      ...archive.gaps.map((text): Finding => ({ check: "gaps", severity: "critical", text })),
      ...(archive.gaps.length === 0
        ? [{ check: "gaps", severity: "ok", text: "no WAL is missing" } as const]
        : []),
      ...archive.keptFiles.map(
        (name): Finding => ({
          check: "kept",
          severity: "critical",
          text: `the archive has another or a damaged copy of what was received as ${name}: move the wrong one away, and start syncdaemon again`,
        }),
      ),
    );
  }
  const archiver = primary?.archiver;
  const isReceiving = archive?.receiver?.isRunning === true;
  if (archiver !== undefined && primary?.isInRecovery === false) {
    const isFailing = (archiver.secondsSinceFailed ?? Infinity) < (archiver.secondsSinceArchived ?? Infinity);
    if (!archiver.isOn && !isReceiving) {
      findings.push({
        check: "archiver",
        severity: "critical",
        text: "neither archiving nor a receiver is on: walmgr setup, or walmgr syncdaemon",
      });
    } else if (archiver.isOn && isFailing) {
      const text = `archive_command fails for ${archiver.lastFailed}, ${archiver.waiting ?? "some"} segments wait; the server's log tells why`;
      findings.push({ check: "archiver", severity: "critical", text });
    } else findings.push({ check: "archiver", severity: "ok", text: "works" });
  }
  if (lag !== undefined) {
    const limit = settings.config.getFloat("alert_archive_lag");
    const text = `${lag.segments} segments, ${formatDuration(lag.seconds)} behind`;
    findings.push({
      check: "lag",
      severity: lag.segments > 0 && lag.seconds > limit ? "critical" : "ok",
      text,
    });
  }
  return findings;
}

function judgeBackups(settings: Settings, { archive }: Status): Finding[] {
  if (archive === undefined) return [];
  const newest = archive.backups[0];
  if (newest === undefined) return [{ check: "backup", severity: "critical", text: "there is no backup" }];
  const isOld = newest.ageSeconds > settings.config.getFloat("alert_backup_age");
  const text = `the newest backup ${newest.name} is ${formatDuration(newest.ageSeconds)} old`;
  return [{ check: "backup", severity: isOld ? "warning" : "ok", text }];
}

function judgeReceiver({ archive, possibleLoss }: Status): Finding[] {
  const findings: Finding[] = [];
  if (archive?.receiver != null) {
    const { isRunning, flushedLsn } = archive.receiver;
    findings.push({
      check: "receiver",
      severity: isRunning ? "ok" : "critical",
      text: isRunning ? `has everything before ${flushedLsn}` : "does not run: start walmgr syncdaemon",
    });
  }
  if (possibleLoss !== undefined) {
    const time = possibleLoss.seconds === undefined ? "" : `, ${formatDuration(possibleLoss.seconds)}`;
    const text = `a loss of the primary now would lose ${formatBytes(possibleLoss.bytes)}${time}`;
    findings.push({ check: "loss", severity: "ok", text });
  }
  return findings;
}

function judgeSlots({ primary }: Status): Finding[] {
  return (primary?.slots ?? []).map((slot) => {
    const isLost = slot.walStatus === "lost" || slot.walStatus === "unreserved";
    const severity = isLost ? "critical" : slot.isActive ? "ok" : "warning";
    const state = isLost ? `has lost WAL (${slot.walStatus})` : slot.isActive ? "is in use" : "is not in use";
    return {
      check: `slot ${slot.name}`,
      severity,
      text: `${state}, holds ${formatBytes(slot.retainedBytes)} of WAL${whenLost(slot)}`,
    };
  });
}

function whenLost({ safeBytes }: SlotStatus): string {
  return safeBytes === undefined ? "" : `, loses it after ${formatBytes(Math.max(0, safeBytes))} more`;
}

/** Judges the space of an archive: when it ends, and whether another backup fits. */
export function spaceFindings({
  freeBytes,
  secondsUntilFull,
  backups,
}: Pick<ArchiveReport, "freeBytes" | "secondsUntilFull" | "backups">): Finding[] {
  if (freeBytes === null) return [];
  const end = secondsUntilFull ?? Infinity;
  const findings: Finding[] = [
    {
      check: "space",
      severity: end < fullNowSeconds ? "critical" : end < fullSoonSeconds ? "warning" : "ok",
      text:
        secondsUntilFull === null
          ? `${formatBytes(freeBytes)} free`
          : `${formatBytes(freeBytes)} free, full in ${formatDuration(end)} at the present rate`,
    },
  ];
  // Older sets go only after a new one is complete.
  const nextBytes = backups.find((backup) => !backup.isIncremental)?.sizeBytes ?? 0;
  if (nextBytes > freeBytes) {
    const text = `the last full backup took ${formatBytes(nextBytes)}, ${formatBytes(freeBytes)} are free for the next one`;
    findings.push({ check: "backup space", severity: "warning", text });
  }
  return findings;
}
