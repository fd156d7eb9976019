import { Database } from "@skytools/skytools";
import { parseLsn } from "../wal/lsn.ts";

/** A replication slot and the WAL that it holds back. */
export interface SlotStatus {
  readonly name: string;
  readonly isActive: boolean;
  /** reserved, extended, unreserved or lost */
  readonly walStatus: string | undefined;
  readonly retainedBytes: number;
  /** bytes that may still be written before it is lost; undefined: no limit */
  readonly safeBytes: number | undefined;
}

/** A server that streams from the primary. */
export interface ReplicaStatus {
  readonly name: string;
  readonly state: string;
  readonly syncState: string;
  readonly flushLagBytes: number;
}

/** What the primary tells about itself. */
export interface PrimaryStatus {
  readonly isInRecovery: boolean;
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly flushedLsn: bigint;
  readonly segmentSize: number;
  readonly archiver: {
    readonly lastArchived: string | undefined;
    readonly secondsSinceArchived: number | undefined;
    readonly lastFailed: string | undefined;
    readonly secondsSinceFailed: number | undefined;
    readonly failedCount: number;
    /** finished segments that wait; undefined when the role may not see it */
    readonly waiting: number | undefined;
    readonly isOn: boolean;
  };
  readonly slots: readonly SlotStatus[];
  readonly replicas: readonly ReplicaStatus[];
}

/** Asks a server; a role with pg_monitor sees everything.
 * @throws DatabaseError */
export async function askPrimary(connstr: string): Promise<PrimaryStatus> {
  const database = await Database.open(connstr, { autocommit: true, connectTimeoutMs: 5000 });
  try {
    const server = await database.queryOne<Record<string, string | number | boolean | null>>(`
      select pg_is_in_recovery() as in_recovery,
        (select system_identifier::text from pg_control_system()) as system_identifier,
        (select timeline_id from pg_control_checkpoint()) as timeline,
        case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end::text as lsn,
        (select setting::int from pg_settings where name = 'wal_segment_size') as segment_size,
        current_setting('archive_mode') as archive_mode`);
    const archiver = await database.queryOne<Record<string, string | number | null>>(`
      select last_archived_wal, last_failed_wal, failed_count::int as failed_count,
        extract(epoch from clock_timestamp() - last_archived_time)::float8 as since_archived,
        extract(epoch from clock_timestamp() - last_failed_time)::float8 as since_failed
      from pg_stat_archiver`);
    const lsn = String(server.lsn);
    return {
      isInRecovery: server.in_recovery === true,
      systemIdentifier: String(server.system_identifier),
      timeline: Number(server.timeline),
      flushedLsn: parseLsn(lsn),
      segmentSize: Number(server.segment_size),
      archiver: {
        lastArchived: optionalText(archiver.last_archived_wal),
        secondsSinceArchived: optionalNumber(archiver.since_archived),
        lastFailed: optionalText(archiver.last_failed_wal),
        secondsSinceFailed: optionalNumber(archiver.since_failed),
        failedCount: Number(archiver.failed_count),
        waiting: await waitingSegments(database),
        isOn: server.archive_mode !== "off",
      },
      slots: await slots(database, lsn),
      replicas: await replicas(database, lsn),
    };
  } finally {
    await database.close();
  }
}

function optionalText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function optionalNumber(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

async function waitingSegments(database: Database): Promise<number | undefined> {
  try {
    return await database.queryValue<number>(
      "select count(*)::int from pg_ls_archive_statusdir() where name like '%.ready'",
    );
  } catch {
    return undefined;
  }
}

async function slots(database: Database, lsn: string): Promise<SlotStatus[]> {
  const rows = await database.query<Record<string, string | number | boolean | null>>(
    `select slot_name, active, wal_status, safe_wal_size::float8 as safe,
       pg_wal_lsn_diff($1, restart_lsn)::float8 as retained
     from pg_replication_slots order by slot_name`,
    [lsn],
  );
  return rows.map((row) => ({
    name: String(row.slot_name),
    isActive: row.active === true,
    walStatus: optionalText(row.wal_status),
    retainedBytes: Math.max(0, Number(row.retained ?? 0)),
    safeBytes: optionalNumber(row.safe),
  }));
}

async function replicas(database: Database, lsn: string): Promise<ReplicaStatus[]> {
  const rows = await database.query<Record<string, string | number | null>>(
    `select application_name, coalesce(state, '') as state, coalesce(sync_state, '') as sync_state,
       pg_wal_lsn_diff($1, flush_lsn)::float8 as lag
     from pg_stat_replication where application_name <> 'walmgr backup' order by application_name`,
    [lsn],
  );
  return rows.map((row) => ({
    name: String(row.application_name),
    state: String(row.state),
    syncState: String(row.sync_state),
    flushLagBytes: Math.max(0, Number(row.lag ?? 0)),
  }));
}
