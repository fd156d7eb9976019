import type { Database } from "@skytools/skytools";

/* The functions londiste.local_copy_* and get_copy_progress: what a copy tells about itself, for `tables` and other programs.
 * Source: sql/londiste/function */

/** The phase in which rows come in. */
export const copyingRows = "copying rows";

/** How long a copy keeps its snapshot on the node that it reads from, where vacuum can remove nothing newer meanwhile; null: it has
 * none any more. It is taken at the start, and given back with the last row. */
export function snapshotAgeSeconds(copy: CopyProgressInfo): number | null {
  const isReading = copy.endTime === null && ["starting", copyingRows].includes(copy.phase);
  return isReading ? copy.elapsedSeconds : null;
}

/** A copy that begins. Totals are estimates from the source, null when unknown. */
export interface CopyStart {
  readonly sourceNode: string;
  /** who copies, for people */
  readonly copyProcess: string;
  readonly totalRows: bigint | null;
  readonly totalBytes: bigint | null;
}

/* What a copy tells about itself. These functions answer with a code for a table that is not local any more; that is no concern
 * of whoever tells, so it is not looked at. None of them commits. */

export async function localCopyStart(
  db: Database,
  queueName: string,
  table: string,
  start: CopyStart,
): Promise<void> {
  await db.query("select * from londiste.local_copy_start($1, $2, $3, $4, $5::int8, $6::int8)", [
    queueName,
    table,
    start.copyProcess,
    start.sourceNode,
    start.totalRows,
    start.totalBytes,
  ]);
}

export async function localCopyProgress(
  db: Database,
  queueName: string,
  table: string,
  phase: string,
  rows: bigint,
  bytes: bigint,
): Promise<void> {
  const sql = "select * from londiste.local_copy_progress($1, $2, $3, $4::int8, $5::int8)";
  await db.query(sql, [queueName, table, phase, rows, bytes]);
}

/** @param retrySeconds null: nobody is going to try again */
export async function localCopyError(
  db: Database,
  queueName: string,
  table: string,
  error: string,
  retrySeconds: number | null,
): Promise<void> {
  const sql = "select * from londiste.local_copy_error($1, $2, $3, make_interval(secs => $4::float8))";
  await db.query(sql, [queueName, table, error, retrySeconds]);
}

export async function localCopyEnd(db: Database, queueName: string, table: string): Promise<void> {
  await db.query("select * from londiste.local_copy_end($1, $2)", [queueName, table]);
}

/** How a table's initial copy gets on. Times are PostgreSQL's text. */
export interface CopyProgressInfo {
  readonly table: string;
  readonly attempt: number;
  readonly copyProcess: string | null;
  readonly sourceNode: string | null;
  readonly phase: string;
  readonly rows: bigint;
  readonly bytes: bigint;
  readonly totalRows: bigint | null;
  readonly totalBytes: bigint | null;
  readonly startTime: string;
  /** since the start, until the end or now */
  readonly elapsedSeconds: number;
  readonly heartbeatAgeSeconds: number;
  readonly endTime: string | null;
  readonly error: string | null;
  readonly retryTime: string | null;
}

interface CopyProgressRow {
  table_name: string;
  attempt: number;
  copy_process: string | null;
  source_node: string | null;
  phase: string;
  rows_copied: bigint;
  bytes_copied: bigint;
  total_rows: bigint | null;
  total_bytes: bigint | null;
  start_time: string;
  elapsed: number;
  heartbeat_age: number;
  end_time: string | null;
  error: string | null;
  retry_time: string | null;
}

export async function getCopyProgress(db: Database, queueName: string): Promise<CopyProgressInfo[]> {
  const rows = await db.query<CopyProgressRow>(
    `select table_name, attempt, copy_process, source_node, phase, rows_copied, bytes_copied, total_rows, total_bytes,
            start_time, extract(epoch from coalesce(end_time, clock_timestamp()) - start_time)::float8 as elapsed,
            extract(epoch from heartbeat_age)::float8 as heartbeat_age, end_time, error, retry_time
       from londiste.get_copy_progress($1)`,
    [queueName],
  );
  return rows.map((row) => ({
    table: row.table_name,
    attempt: row.attempt,
    copyProcess: row.copy_process,
    sourceNode: row.source_node,
    phase: row.phase,
    rows: row.rows_copied,
    bytes: row.bytes_copied,
    totalRows: row.total_rows,
    totalBytes: row.total_bytes,
    startTime: row.start_time,
    elapsedSeconds: row.elapsed,
    heartbeatAgeSeconds: row.heartbeat_age,
    endTime: row.end_time,
    error: row.error,
    retryTime: row.retry_time,
  }));
}
