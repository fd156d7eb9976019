import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type Job,
  ProgressDisplay,
  type ProgressTracker,
  ReplicationConnection,
  SkytoolsError,
} from "@skytools/skytools";
import { askServer, type ServerFacts } from "../place/server-facts.ts";
import type { Settings } from "../place/settings.ts";
import { WalError } from "../wal/wal-error.ts";
import { pumpBackup } from "./pump-backup.ts";
import { RemoteSetTarget } from "./remote-set-target.ts";
import { LocalSetTarget, type SetTarget } from "./set-target.ts";

export interface BackupRequest {
  readonly isIncremental: boolean;
}

/** Takes a base backup into the archive, wherever that is, and makes it the newest set.
 * @throws DatabaseError, WalError; the older sets are untouched then
 * Source: spec/walmgr.md 5.3, 12.4 */
export async function takeBackup(job: Job, settings: Settings, request: BackupRequest) {
  const connection = await ReplicationConnection.open(backupConninfo(settings), {
    applicationName: "walmgr backup",
    onNotice: (message) => job.log.debug(message),
  });
  const target: SetTarget =
    settings.remote === undefined ? new LocalSetTarget(job, settings) : new RemoteSetTarget(settings.remote);
  const display = new ProgressDisplay({ line: (text) => job.log.info(text) });
  try {
    return await run(job, settings, request, connection, target, display);
  } catch (error) {
    await target
      .abandon()
      .catch((failure: unknown) => job.log.warn(`cleaning up failed: ${String(failure)}`));
    throw error;
  } finally {
    display.stop();
    connection.close();
  }
}

/** Where base backups are taken from: the primary, or on the other side whatever that host may connect to. */
export function backupConninfo(settings: Settings): string {
  if (settings.role === "primary") return settings.need("master_db");
  const key = ["receive_conninfo", "primary_conninfo", "slave_db"].find((each) => settings.has(each));
  if (key !== undefined) return settings.config.get(key);
  throw settings.error("primary_conninfo", "required key is not set: a backup needs a server to connect to");
}

async function run(
  job: Job,
  settings: Settings,
  { isIncremental }: BackupRequest,
  connection: ReplicationConnection,
  target: SetTarget,
  display: ProgressDisplay,
) {
  const { config } = settings;
  const facts = await askServer(connection);
  const base = isIncremental ? await incrementalBase(connection, target, facts) : undefined;
  const includesWal = config.get("backup_wal") === "include";
  const startTime = new Date().toISOString();
  const label = `FullBackup ${startTime}`;
  await target.begin({
    label,
    systemIdentifier: facts.systemIdentifier,
    serverVersion: facts.serverVersion,
    segmentSize: facts.segmentSize,
    includesWal,
    basedOn: base?.id,
    startTime,
    walmgrVersion: job.program.version,
  });
  if (base !== undefined) await uploadManifest(connection, base.manifest);
  if (includesWal) await reserveWal(job, connection);
  job.log.info(
    `Backing up ${connection.label}${base === undefined ? "" : `, what has changed since ${base.id}`}`,
  );
  let tracker: ProgressTracker | undefined;
  const range = await pumpBackup(
    connection,
    {
      label,
      checkpoint: config.get("backup_checkpoint") === "fast" ? "fast" : "spread",
      maxRate: config.getInt("backup_max_rate"),
      includesWal,
      isIncremental: base !== undefined,
    },
    target,
    {
      onTotal: (total) => {
        tracker ??= display.add("base backup", base === undefined ? { bytes: total } : {});
      },
      onBytes: (bytes) => tracker?.update({ bytes }),
    },
  );
  await storeConfig(job, settings, target);
  const result = await target.finish(range);
  tracker?.end();
  return result;
}

/** WAL that the backup needs must not be recycled while it runs. The slot ends with the connection. */
async function reserveWal(job: Job, connection: ReplicationConnection): Promise<void> {
  try {
    await connection.run(
      `CREATE_REPLICATION_SLOT "walmgr_backup_${process.pid}" TEMPORARY PHYSICAL RESERVE_WAL`,
    );
  } catch (error) {
    if (!(error instanceof SkytoolsError) || connection.lost !== undefined) throw error;
    job.log.warn(`no slot holds the backup's WAL: ${error.message}`);
  }
}

async function incrementalBase(connection: ReplicationConnection, target: SetTarget, facts: ServerFacts) {
  if (facts.serverVersion < 170000) {
    throw new WalError(`incremental backups need PostgreSQL 17, ${connection.label} is older`);
  }
  const base = await target.newestManifest(facts.systemIdentifier);
  if (base === undefined) {
    throw new WalError("there is no backup set of this cluster that an incremental one could be based on", {
      hint: "Take a full backup first.",
    });
  }
  return base;
}

/** Source: PostgreSQL manual, "Streaming Replication Protocol", UPLOAD_MANIFEST */
async function uploadManifest(connection: ReplicationConnection, manifest: Buffer): Promise<void> {
  await connection.run("UPLOAD_MANIFEST", {
    onCopyStart: () => {
      for (let at = 0; at < manifest.length; at += 1 << 16) {
        connection.sendCopyData(manifest.subarray(at, at + (1 << 16)));
      }
      connection.sendCopyDone();
    },
  });
}

async function storeConfig(job: Job, settings: Settings, target: SetTarget): Promise<void> {
  if (!settings.has("master_config") || settings.paths.configBackup === "") return;
  const directory = dirname(settings.config.getFile("master_config"));
  const files: Record<string, string> = {};
  for (const name of await readdir(directory).catch(() => [])) {
    if (!/^[\w][\w.-]*\.conf$/.test(name)) continue;
    try {
      files[name] = await readFile(join(directory, name), "latin1");
    } catch (error) {
      job.log.warn(`cannot back up ${join(directory, name)}: ${String(error)}`);
    }
  }
  await target.storeConfig(files);
}
