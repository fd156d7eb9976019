import type { Database, RawRow } from "@skytools/skytools";
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
  let events = await openCursor(db, batchId, count, options.where);
  while (events.length === count) {
    if (count === mostEvents && !isSizeKnown) {
      isSizeKnown = true;
      if (!(await holdsLargeEvents(db, options.queueName))) mostEvents = options.maxSmallCount;
    }
    count = nextCount(events, count, mostEvents, options.maxBytes);
    const next = db.fetchRaw(cursorName, count);
    // Whoever leaves early does not wait for it.
    next.catch(() => undefined);
    yield events;
    events = eventsFromRows(await next);
  }
  if (events.length > 0) yield events;
  await db.execute(`close ${cursorName}`);
}

async function openCursor(
  db: Database,
  batchId: bigint,
  count: number,
  where: string | undefined,
): Promise<PgqEvent[]> {
  return await db.query<PgqEvent>(
    `select ev_id as id, ev_time as time, ev_txid as txid, ev_retry as retry, ev_type as type, ev_data as data,
            ev_extra1 as extra1, ev_extra2 as extra2, ev_extra3 as extra3, ev_extra4 as extra4
       from pgq.get_batch_cursor($1::int8, $2, $3::int4, $4::text)`,
    [batchId, cursorName, count, where ?? null],
  );
}

function nextCount(events: readonly PgqEvent[], count: number, mostEvents: number, maxBytes: number): number {
  let largest = 1;
  for (const event of events) {
    const length = textLength(event);
    if (length > largest) largest = length;
  }
  return Math.max(1, Math.min(mostEvents, count * 2, Math.floor(maxBytes / largest)));
}

/** About what an event takes in memory. */
function textLength(event: PgqEvent): number {
  return (
    200 +
    (event.type?.length ?? 0) +
    (event.data?.length ?? 0) +
    (event.extra1?.length ?? 0) +
    (event.extra2?.length ?? 0) +
    (event.extra3?.length ?? 0) +
    (event.extra4?.length ?? 0)
  );
}

/** The columns of the rows are those of `eventColumns`. */
function eventsFromRows(rows: readonly RawRow[]): PgqEvent[] {
  let txidText: string | null = null;
  let txid = 0n;
  return rows.map((row) => {
    // Events of one transaction come together.
    if (row[2] !== txidText) {
      txidText = row[2]!;
      txid = BigInt(txidText!);
    }
    return {
      id: BigInt(row[0]!),
      time: row[1]!,
      txid,
      retry: row[3] === null ? null : Number(row[3]),
      type: row[4]!,
      data: row[5]!,
      extra1: row[6]!,
      extra2: row[7]!,
      extra3: row[8]!,
      extra4: row[9]!,
    };
  });
}
