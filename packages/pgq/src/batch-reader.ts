import type { Database } from "@skytools/skytools";
import { CopyTextRows, eventFromCopyLine } from "./copy-text.ts";
import type { PgqEvent } from "./event.ts";

/** Narrows a batch query to the events that meet a condition over the event columns. The condition is raw SQL: trusted
 * configuration only. */
export function filteredBatchSql(batchSql: string, where: string | undefined): string {
  if (where === undefined) return batchSql;
  return `select * from (${batchSql}) as batch where ${where} order by ev_id`;
}

/** A batch query without the ORDER BY at its end, for readers that can do without: the server need not sort. */
export function unordered(batchSql: string): string {
  return batchSql.replace(/\s+order\s+by\s+(?:1|ev_id)\s*;?\s*$/i, "");
}

/** Reads events with COPY, in blocks as they arrive: the stream is read only as fast as it is consumed, so memory is bounded
 * by the stream's buffers (or one single event), whatever the batch holds. The connection can do nothing else until the
 * iteration has ended; leaving it early cancels the COPY.
 * @param eventSql a query with the columns of `eventColumns` */
export async function* copyEventBlocks(db: Database, eventSql: string): AsyncGenerator<PgqEvent[], void> {
  const rows = new CopyTextRows();
  const stream = db.copyOut(`copy (${eventSql}) to stdout`);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const lines = rows.take(chunk);
    if (lines.length > 0) yield lines.map(eventFromCopyLine);
  }
}

/** The same, event by event. */
export async function* copyEvents(db: Database, eventSql: string): AsyncGenerator<PgqEvent, void> {
  for await (const block of copyEventBlocks(db, eventSql)) yield* block;
}
