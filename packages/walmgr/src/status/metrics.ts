import type { Finding } from "./findings.ts";
import type { Status } from "./status.ts";

type Sample = readonly [labels: string, value: number | undefined | null];

/** A status as OpenMetrics text, for a scraper or the textfile collector.
 * Source: the OpenMetrics specification */
export function metricsText(status: Status, findings: readonly Finding[]): string {
  const { archive, primary, lag, possibleLoss } = status;
  const families: [name: string, help: string, samples: readonly Sample[]][] = [
    ["walmgr_archive_reachable", "1 when the archive can be read", [["", archive === undefined ? 0 : 1]]],
    ["walmgr_primary_reachable", "1 when the primary answers", [["", primary === undefined ? 0 : 1]]],
    ["walmgr_archive_lag_segments", "finished segments that are not archived", [["", lag?.segments]]],
    ["walmgr_archive_lag_seconds", "age of the archive's end while segments wait", [["", lag?.seconds]]],
    ["walmgr_possible_loss_bytes", "WAL that only the primary has", [["", possibleLoss?.bytes]]],
    ["walmgr_possible_loss_seconds", "time since when", [["", possibleLoss?.seconds]]],
    ["walmgr_archive_wal_bytes", "size of the stored WAL", [["", archive?.walBytes]]],
    ["walmgr_archive_wal_files", "number of stored WAL files", [["", archive?.walFiles]]],
    ["walmgr_archive_problems", "gaps and missing files", [["", archive?.gaps.length]]],
    ["walmgr_archive_free_bytes", "free space of the archive", [["", archive?.freeBytes]]],
    [
      "walmgr_archive_full_seconds",
      "until the archive is full at the present rate",
      [["", archive?.secondsUntilFull]],
    ],
    ["walmgr_backups", "number of backup sets", [["", archive?.backups.length]]],
    ["walmgr_backup_age_seconds", "age of the newest backup set", [["", archive?.backups[0]?.ageSeconds]]],
    [
      "walmgr_receiver_running",
      "1 when the receiver works",
      [["", archive?.receiver == null ? undefined : Number(archive.receiver.isRunning)]],
    ],
    ["walmgr_archiver_failures", "failed calls of archive_command", [["", primary?.archiver.failedCount]]],
    [
      "walmgr_slot_retained_bytes",
      "WAL that a replication slot holds back",
      (primary?.slots ?? []).map((slot) => [`{slot="${escapeLabel(slot.name)}"}`, slot.retainedBytes]),
    ],
    [
      "walmgr_slot_active",
      "1 when a replication slot is in use",
      (primary?.slots ?? []).map((slot) => [`{slot="${escapeLabel(slot.name)}"}`, Number(slot.isActive)]),
    ],
    [
      "walmgr_check",
      "0 ok, 1 warning, 2 critical",
      worstOf(findings).map(([check, value]) => [`{check="${escapeLabel(check)}"}`, value]),
    ],
  ];
  const lines = families.flatMap(([name, help, samples]) => {
    const known = samples.filter(
      ([, value]) => value !== undefined && value !== null && Number.isFinite(value),
    );
    if (known.length === 0) return [];
    return [
      `# TYPE ${name} gauge`,
      `# HELP ${name} ${help}`,
      ...known.map(([labels, value]) => `${name}${labels} ${value}`),
    ];
  });
  return `${[...lines, "# EOF"].join("\n")}\n`;
}

function worstOf(findings: readonly Finding[]): [string, number][] {
  const worst = new Map<string, number>();
  for (const { check, severity } of findings) {
    const value = ["ok", "warning", "critical"].indexOf(severity);
    worst.set(check, Math.max(worst.get(check) ?? 0, value));
  }
  return [...worst];
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
