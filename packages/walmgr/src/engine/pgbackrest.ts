import { existsSync } from "node:fs";
import type { Settings } from "../place/settings.ts";
import type { RecoveryTarget } from "../restore/recovery-target.ts";
import type { ArchiveReport } from "../status/archive-status.ts";
import { WalError } from "../wal/wal-error.ts";
import type { EngineCommands, EngineRestore } from "./engine-commands.ts";
import { isMoment, isObject, jsonList, strangeReport } from "./json-list.ts";

/** Source: pgBackRest's command reference */
export function pgBackRestCommands(settings: Settings): EngineCommands {
  const { config } = settings;
  const program = config.getOr("engine_command", "pgbackrest");
  const stanza = config.get("engine_stanza");
  const common = [
    program,
    `--stanza=${stanza}`,
    ...(settings.has("engine_config") ? [`--config=${config.getFile("engine_config")}`] : []),
  ];
  return {
    env: {},
    absentCode: 1,
    setup: () => [...common, "stanza-create"],
    archivePush: (path) => [...common, ...ownDirectory(settings), "archive-push", path],
    archiveGet: (name, destination) => [...common, ...currentDirectory(), "archive-get", name, destination],
    backup: (kind) => [...common, `--type=${kind === "full" ? "full" : "incr"}`, "backup"],
    listBackups: (isJson) => [...common, ...(isJson ? ["--output=json"] : []), "info"],
    parseReport: (text) => parseInfo(text, stanza),
    restore: (restore) => [...common, ...restoreOptions(restore), "restore"],
    verify: () => [...common, "verify"],
    expire: () => [...common, "expire"],
  };
}

/** For servers it insists that pg1-path is where they run; its configuration names the primary's place. */
function ownDirectory(settings: Settings): string[] {
  return settings.role === "standby" ? [`--pg1-path=${settings.dataDirectory()}`] : [];
}

function currentDirectory(): string[] {
  return existsSync("PG_VERSION") ? [`--pg1-path=${process.cwd()}`] : [];
}

function restoreOptions({ dataDirectory, set, target, isStandby, tablespaceMoves }: EngineRestore): string[] {
  return [
    `--pg1-path=${dataDirectory}`,
    ...(set === undefined ? [] : [`--set=${set}`]),
    ...(isStandby ? ["--type=standby"] : targetOptions(target)),
    ...tablespaceMoves.map((move) => `--tablespace-map=${move}`),
  ];
}

/** It chooses the backup by the target, and refuses one that does not fit. */
function targetOptions({ settings, timeline }: RecoveryTarget): string[] {
  const kind = ["time", "lsn", "name", "xid"].find((each) => settings.has(`recovery_target_${each}`));
  return [
    ...(settings.has("recovery_target") ? ["--type=immediate"] : []),
    ...(kind === undefined ? [] : [`--type=${kind}`, `--target=${settings.get(`recovery_target_${kind}`)}`]),
    `--target-timeline=${timeline}`,
  ];
}

interface InfoBackup {
  readonly label: string;
  readonly type: string;
  readonly timestamp: { readonly stop: number };
  readonly info: { readonly size: number };
}

interface Info {
  readonly archive?: readonly { readonly max?: string | null }[];
  readonly backup?: readonly InfoBackup[];
  readonly status: {
    readonly code: number;
    readonly message: string;
    readonly lock?: { readonly backup?: { readonly held?: boolean } };
  };
}

function isInfo(value: Readonly<Record<string, unknown>>): value is Readonly<Record<string, unknown>> & Info {
  const { archive = [], backup = [], status } = value;
  const isArchive = (each: unknown) => isObject(each) && (typeof each.max === "string" || each.max == null);
  return (
    isObject(status) &&
    typeof status.code === "number" &&
    Array.isArray(archive) &&
    archive.every(isArchive) &&
    Array.isArray(backup) &&
    backup.every(isInfoBackup)
  );
}

function isInfoBackup(value: unknown): boolean {
  if (!isObject(value) || !isObject(value.timestamp) || !isObject(value.info)) return false;
  const { label, type, timestamp, info } = value as unknown as InfoBackup;
  return (
    typeof label === "string" &&
    typeof type === "string" &&
    isMoment(timestamp.stop) &&
    typeof info.size === "number"
  );
}

const printer = "pgbackrest info";

/** @throws WalError exit code 2 for a report of another form
 * Source: pgBackRest's command reference, info, JSON output */
export function parseInfo(text: string, stanza: string): ArchiveReport {
  const info = jsonList(text, printer)[0];
  if (info !== undefined && !isInfo(info)) throw strangeReport(printer);
  if (info === undefined) throw new WalError(`pgbackrest has no stanza ${stanza}`, { exitCode: 2 });
  const { status } = info;
  const backups = (info.backup ?? []).toReversed();
  return {
    place: `pgBackRest, stanza ${stanza}`,
    // More digits than a JavaScript number keeps.
    systemIdentifier: [...text.matchAll(/"system-id"\s*:\s*(\d+)/g)].at(-1)?.[1] ?? null,
    walFiles: null,
    walBytes: null,
    newestSegment: info.archive?.at(-1)?.max?.slice(0, 24) ?? null,
    archivedLsn: null,
    secondsSinceArchived: null,
    backedUpLsn: null,
    // 2: no valid backups, which the backups themselves tell
    gaps: status.code === 0 || status.code === 2 ? [] : [`pgbackrest: ${status.message}`],
    backups: backups.map(({ label, type, timestamp, info: { size } }) => ({
      name: label,
      id: label,
      stopTime: new Date(timestamp.stop * 1000).toISOString(),
      ageSeconds: Date.now() / 1000 - timestamp.stop,
      sizeBytes: size,
      isIncremental: type !== "full",
    })),
    backupRunning: status.lock?.backup?.held === true,
    receiver: null,
    keptFiles: [],
    freeBytes: null,
    secondsUntilFull: null,
  };
}
