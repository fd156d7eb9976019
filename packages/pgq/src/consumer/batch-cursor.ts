import { type Database, quoteIdent } from "@skytools/skytools";
import type { PgqEvent } from "../event.ts";
import { holdsLargeEvents } from "./large-events.ts";

export interface BatchCursorOptions {
  readonly queueName: string;
  /** condition over the event columns, raw SQL */
  readonly where: string | undefined;
  /** most events of one block */
  readonly maxCount: number;
  /** most events of one block while the queue holds no large event; at least `maxCount` */
  readonly maxSmallCount: number;
  /** what a block should not exceed; one event may be larger */
  readonly maxBytes: number;
}

interface EventRow {
  readonly ev_id: bigint;
  readonly ev_time: string;
  readonly ev_txid: bigint;
  readonly ev_retry: number | null;
  readonly ev_type: string | null;
  readonly ev_data: string | null;
  readonly ev_extra1: string | null;
  readonly ev_extra2: string | null;
  readonly ev_extra3: string | null;
  readonly ev_extra4: string | null;
}

const cursorName = "batch_walker";
const firstCount = 30;

/** Reads the events of an open batch in order, in blocks, through a cursor: between two blocks the connection is free for
 * other statements of the same transaction. The next block is fetched while the current one is in the caller's hands, so
 * memory holds two blocks. How many events a block has follows the sizes seen: it at most doubles from block to block, and
 * shrinks at once so that events as large as the largest of the last block fit into `maxBytes`.
 * The caller must not end the transaction meanwhile.
 * Source: pgq.get_batch_cursor; spec/pgq-library.md A4 */
export async function* readBatchCursor(
  db: Database,
  batchId: bigint,
  options: BatchCursorOptions,
): AsyncGenerator<PgqEvent[], void> {
  let mostEvents = options.maxCount;
  let isSizeKnown = options.maxSmallCount <= options.maxCount;
  let count = Math.min(mostEvents, firstCount);
  let rows = await db.query<EventRow>(
    "select * from pgq.get_batch_cursor($1::int8, $2, $3::int4, $4::text)",
    [batchId, cursorName, count, options.where ?? null],
  );
  while (rows.length === count) {
    if (count === mostEvents && !isSizeKnown) {
      isSizeKnown = true;
      if (!(await holdsLargeEvents(db, options.queueName))) mostEvents = options.maxSmallCount;
    }
    count = nextCount(rows, count, mostEvents, options.maxBytes);
    const next = db.query<EventRow>(`fetch ${count} from ${quoteIdent(cursorName)}`);
    // Whoever leaves early does not wait for it.
    next.catch(() => undefined);
    yield rows.map(eventFromRow);
    rows = await next;
  }
  if (rows.length > 0) yield rows.map(eventFromRow);
  await db.execute(`close ${quoteIdent(cursorName)}`);
}

function nextCount(rows: readonly EventRow[], count: number, mostEvents: number, maxBytes: number): number {
  let largest = 1;
  for (const row of rows) {
    const length = textLength(row);
    if (length > largest) largest = length;
  }
  return Math.max(1, Math.min(mostEvents, count * 2, Math.floor(maxBytes / largest)));
}

/** About what an event takes in memory. */
function textLength(row: EventRow): number {
  return (
    200 +
    (row.ev_type?.length ?? 0) +
    (row.ev_data?.length ?? 0) +
    (row.ev_extra1?.length ?? 0) +
    (row.ev_extra2?.length ?? 0) +
    (row.ev_extra3?.length ?? 0) +
    (row.ev_extra4?.length ?? 0)
  );
}

function eventFromRow(row: EventRow): PgqEvent {
  return {
    id: row.ev_id,
    time: row.ev_time,
    txid: row.ev_txid,
    retry: row.ev_retry,
    type: row.ev_type,
    data: row.ev_data,
    extra1: row.ev_extra1,
    extra2: row.ev_extra2,
    extra3: row.ev_extra3,
    extra4: row.ev_extra4,
  };
}
