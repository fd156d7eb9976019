import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { copyRow, type Database, SkytoolsError } from "@skytools/skytools";
import { currentEventTable, type NewEvent } from "./pgq-api.ts";

/** An event for bulk insertion by COPY. */
export interface BulkEvent extends NewEvent {
  /** timestamptz text; default: the time of the transaction */
  readonly time?: string | undefined;
}

export interface BulkInsertOptions {
  /** Write the events' own ids, which must then all be there; default: the queue numbers them. */
  readonly keepsIds?: boolean;
}

type EventWithId = BulkEvent & { readonly id?: bigint | undefined };

const chunkLength = 64 * 1024;

/** Inserts many events with COPY, within the open transaction. It writes to the event table directly: that takes INSERT
 * rights on it, and the limit of events a transaction does not count.
 * @param events taken as fast as the server stores them, so there may be more than memory holds
 * @returns number of events
 * @throws DatabaseError when the queue does not exist or has inserts disabled, SkytoolsError EVENT_ID for a missing id
 * Source: pgq.current_event_table(text); spec/pgq-library.md A10 */
export async function insertEvents(
  db: Database,
  queueName: string,
  events: Iterable<EventWithId> | AsyncIterable<EventWithId>,
  { keepsIds = false }: BulkInsertOptions = {},
): Promise<bigint> {
  const table = await currentEventTable(db, queueName);
  const now = await db.queryValue<string>("select now()");
  const columns = `${keepsIds ? "ev_id, " : ""}ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4`;
  const copy = db.copyIn(`copy ${table} (${columns}) from stdin`);
  await pipeline(Readable.from(rowChunks(events, now!, keepsIds)), copy);
  return (await copy.done).rows;
}

async function* rowChunks(
  events: Iterable<EventWithId> | AsyncIterable<EventWithId>,
  now: string,
  keepsIds: boolean,
): AsyncGenerator<string, void> {
  let chunk = "";
  for await (const { id, time, type, data, extra1, extra2, extra3, extra4 } of events) {
    if (keepsIds && id === undefined) throw new SkytoolsError("EVENT_ID", `event of type ${type} has no id`);
    chunk += copyRow([
      ...(keepsIds ? [String(id)] : []),
      time ?? now,
      type,
      data,
      extra1 ?? null,
      extra2 ?? null,
      extra3 ?? null,
      extra4 ?? null,
    ]);
    if (chunk.length < chunkLength) continue;
    yield chunk;
    chunk = "";
  }
  if (chunk !== "") yield chunk;
}
