import type { Database } from "@skytools/skytools";
import { call } from "./call.ts";

/** What a producer puts into a queue; the extras may be left out. */
export interface NewEvent {
  readonly type: string | null;
  readonly data: string | null;
  readonly extra1?: string | null | undefined;
  readonly extra2?: string | null | undefined;
  readonly extra3?: string | null | undefined;
  readonly extra4?: string | null | undefined;
}

/** Inserts one event. @returns its id
 * @throws DatabaseError when the queue does not exist or refuses inserts */
export async function insertEvent(db: Database, queueName: string, event: NewEvent): Promise<bigint> {
  return call<bigint>(db, "select pgq.insert_event($1, $2, $3, $4, $5, $6, $7) as value", [
    queueName,
    event.type,
    event.data,
    event.extra1 ?? null,
    event.extra2 ?? null,
    event.extra3 ?? null,
    event.extra4 ?? null,
  ]);
}

/** Name of the table that takes inserts now, quoted where needed; valid within the current transaction only. */
export async function currentEventTable(db: Database, queueName: string): Promise<string> {
  return call<string>(db, "select pgq.current_event_table($1) as value", [queueName]);
}

/** Highest event id that transactions from `fromTxid` on have stored in a queue; undefined when there is none.
 * Reads the transaction index of the event tables, so its cost follows the number of those events. */
export async function highestEventId(
  db: Database,
  queueName: string,
  fromTxid: bigint,
): Promise<bigint | undefined> {
  const parent = await db.queryValue<string>(
    "select pgq.quote_fqname(queue_data_pfx) from pgq.queue where queue_name = $1",
    [queueName],
  );
  if (parent === undefined) return undefined;
  const highest = await db.queryValue<bigint | null>(
    `select max(ev_id) from ${parent} where ev_txid >= $1::int8`,
    [fromTxid],
  );
  return highest ?? undefined;
}
