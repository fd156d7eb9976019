import { type Command, formatBytes, formatDuration, type Job, printJson } from "@skytools/skytools";
import { settingsFor } from "../place/settings.ts";
import { type ArchiveReport, reportArchive } from "../status/archive-status.ts";
import { judge } from "../status/findings.ts";
import { metricsText } from "../status/metrics.ts";
import { collectStatus, type Status } from "../status/status.ts";
import { formatLsn } from "../wal/lsn.ts";

/** Source: spec/walmgr.md 12.1 */
export const statusCommand: Command = {
  name: "status",
  args: "",
  summary: "show archive, backups, receiver and primary; as JSON or as OpenMetrics text",
  pidfile: "none",
  switches: [
    { flags: "--metrics", doc: "OpenMetrics text" },
    { flags: "--archive-only", doc: "only what the archive's host knows" },
  ],
  run: showStatus,
};

async function showStatus(job: Job): Promise<void> {
  const settings = settingsFor(job);
  if (job.flag("archiveOnly")) {
    printJson(job.stdout, await reportArchive(settings));
    return;
  }
  const status = await collectStatus(settings);
  if (job.flag("metrics")) job.stdout.write(metricsText(status, judge(settings, status)));
  else if (job.json) printJson(job.stdout, statusJson(status));
  else job.stdout.write(statusText(status));
}

function statusJson(status: Status) {
  const { primary } = status;
  return {
    archive: status.archive ?? null,
    archiveError: status.archiveError ?? null,
    primary: primary === undefined ? null : { ...primary, flushedLsn: formatLsn(primary.flushedLsn) },
    primaryError: status.primaryError ?? null,
    possibleLoss: status.possibleLoss ?? null,
    lag: status.lag ?? null,
  };
}

function statusText({ archive, archiveError, primary, primaryError, lag, possibleLoss }: Status): string {
  const lines: [string, string][] = [];
  if (archive === undefined) lines.push(["archive", `unreachable: ${archiveError}`]);
  else {
    const newest = archive.backups[0];
    lines.push(
      [
        "archive",
        archive.walBytes === null
          ? archive.place
          : `${archive.place}, ${archive.walFiles} WAL files, ${formatBytes(archive.walBytes)}`,
      ],
      ["newest segment", ago(archive.newestSegment, archive.secondsSinceArchived)],
      ["gaps", archive.gaps.length === 0 ? "none" : archive.gaps.join("; ")],
      ["backups", String(archive.backups.length)],
      [
        "newest backup",
        newest === undefined ? "none" : ago(`${newest.name} (${newest.id})`, newest.ageSeconds),
      ],
      [
        "receiver",
        archive.receiver === null
          ? "not used"
          : `${archive.receiver.isRunning ? "runs" : "does not run"}, flushed ${archive.receiver.flushedLsn}`,
      ],
      ...(archive.freeBytes === null ? [] : [["free space", freeSpace(archive)] as [string, string]]),
    );
  }
  if (primary === undefined) lines.push(["primary", `unreachable: ${primaryError}`]);
  else {
    lines.push(["primary", `${primary.isInRecovery ? "in recovery" : "runs"}, timeline ${primary.timeline}`]);
    for (const slot of primary.slots) {
      const state = `${slot.isActive ? "in use" : "not in use"}, ${slot.walStatus ?? "no WAL"}`;
      lines.push([`slot ${slot.name}`, `${state}, holds ${formatBytes(slot.retainedBytes)}`]);
    }
  }
  if (lag !== undefined)
    lines.push(["archive lag", `${lag.segments} segments, ${formatDuration(lag.seconds)}`]);
  if (possibleLoss !== undefined) {
    const time = possibleLoss.seconds === undefined ? "" : `, ${formatDuration(possibleLoss.seconds)}`;
    lines.push(["possible loss now", `${formatBytes(possibleLoss.bytes)}${time}`]);
  }
  return lines.map(([name, text]) => `${name.padEnd(24)} ${text}\n`).join("");
}

function freeSpace({ freeBytes, secondsUntilFull }: ArchiveReport): string {
  const end =
    secondsUntilFull === null ? "" : `, full in ${formatDuration(secondsUntilFull)} at the present rate`;
  return `${formatBytes(freeBytes ?? 0)}${end}`;
}

function ago(what: string | null, seconds: number | null): string {
  if (what === null) return "none";
  return seconds === null ? what : `${what}, ${formatDuration(seconds)} ago`;
}
