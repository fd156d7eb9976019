import { UsageError } from "@skytools/skytools";
import type { Settings } from "../place/settings.ts";
import type { ArchiveReport } from "../status/archive-status.ts";
import type { EngineCommands, EngineRestore } from "./engine-commands.ts";
import { isMoment, jsonList, strangeReport } from "./json-list.ts";

/** Source: WAL-G's README for PostgreSQL */
export function walGCommands(settings: Settings): EngineCommands {
  const { config } = settings;
  const program = config.getOr("engine_command", "wal-g");
  const common = [
    program,
    ...(settings.has("engine_config") ? ["--config", config.getFile("engine_config")] : []),
  ];
  const keep = Math.max(1, config.getInt("keep_backups"));
  return {
    // Overwriting is WAL-G's default.
    env: { WALG_PREVENT_WAL_OVERWRITE: "true" },
    absentCode: 74,
    setup: () => undefined,
    archivePush: (path) => [...common, "wal-push", path],
    archiveGet: (name, destination) => [...common, "wal-fetch", name, destination],
    backup: (kind) => [
      ...common,
      "backup-push",
      ...(kind === "full" ? ["--full"] : []),
      settings.dataDirectory(),
    ],
    listBackups: (isJson) => [...common, "backup-list", ...(isJson ? ["--json", "--detail"] : [])],
    parseReport,
    restore: (restore) => [...common, "backup-fetch", restore.dataDirectory, chosenSet(restore)],
    verify: () => [...common, "wal-verify", "integrity", "timeline"],
    expire: () => [...common, "delete", "retain", "FULL", String(keep), "--confirm"],
  };
}

/** @throws UsageError where WAL-G would take the newest backup although it does not fit */
function chosenSet({ set, target, tablespaceMoves }: EngineRestore): string {
  if (tablespaceMoves.length > 0) {
    throw new UsageError("--tablespace cannot be handed to wal-g", {
      hint: "Restore by hand with its --restore-spec.",
    });
  }
  if (set === undefined && target.text !== undefined && target.text !== "immediate") {
    throw new UsageError("with wal-g a recovery target needs the backup to begin with", {
      hint: "Name one of listbackups that ended before the target.",
    });
  }
  if (set?.startsWith("-") === true) throw new UsageError(`"${set}" is not the name of a backup`);
  return set ?? "LATEST";
}

interface ListedBackup {
  readonly backup_name: string;
  readonly wal_file_name?: string;
  readonly finish_time?: string;
  readonly time?: string;
  readonly uncompressed_size?: number;
  readonly system_identifier?: number | string | null;
}

function isListed(
  value: Readonly<Record<string, unknown>>,
): value is Readonly<Record<string, unknown>> & ListedBackup {
  const { backup_name: name, finish_time: finish, time, uncompressed_size: size = 0 } = value;
  const areMoments = [finish, time].every(
    (each) =>
      each === undefined || each === null || (typeof each === "string" && isMoment(Date.parse(each) / 1000)),
  );
  return typeof name === "string" && areMoments && typeof size === "number";
}

/** @throws WalError exit code 2 for a report of another form
 * Source: WAL-G's README for PostgreSQL, backup-list */
export function parseReport(text: string): ArchiveReport {
  const printer = "wal-g backup-list";
  const listed = jsonList(text, printer);
  if (!listed.every(isListed)) throw strangeReport(printer);
  return {
    place: "WAL-G",
    // More digits than a JavaScript number keeps.
    systemIdentifier: [...text.matchAll(/"system_identifier"\s*:\s*"?(\d+)/g)].at(-1)?.[1] ?? null,
    walFiles: null,
    walBytes: null,
    newestSegment: null,
    archivedLsn: null,
    secondsSinceArchived: null,
    backedUpLsn: null,
    gaps: [],
    backups: listed.toReversed().map((backup) => {
      const stopTime = backup.finish_time ?? backup.time ?? new Date(0).toISOString();
      return {
        name: backup.backup_name,
        id: backup.backup_name,
        stopTime,
        ageSeconds: (Date.now() - Date.parse(stopTime)) / 1000,
        sizeBytes: backup.uncompressed_size ?? 0,
        isIncremental: backup.backup_name.includes("_D_"),
      };
    }),
    backupRunning: false,
    receiver: null,
    keptFiles: [],
    freeBytes: null,
    secondsUntilFull: null,
  };
}
