import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { copyEventBlocks, currentEventTable, type PgqEvent } from "@skytools/pgq";
import type { QueueCopy } from "@skytools/pgq/cascade";
import { copyRow, type Database, quoteLiteral } from "@skytools/skytools";
import type { TableHandler } from "./handler.ts";

export interface ForwardInput {
  readonly source: Database;
  readonly target: Database;
  readonly copyTo: QueueCopy;
  /** which events go into a combined queue */
  readonly mergeFilter: string;
  /** the batch's events, narrowed by a condition */
  readonly eventQuery: (where: string) => Promise<string>;
  readonly handlers: ReadonlyMap<string, TableHandler>;
}

const contentColumns = "ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4";

/** True when a handler decides what of its table goes on to the nodes behind this one. */
export function hasForwarders(handlers: ReadonlyMap<string, TableHandler>): boolean {
  return [...handlers.values()].some((handler) => handler.forward !== undefined || repairs(handler));
}

/** Stores events of tables whose handlers change them, or leave some out, into the queue of this node, within the target's
 * transaction. In a branch's queue they have their ids. In a combined queue they get new ones as they come, so there all events of
 * the batch are stored here, in order: one that follows a script must not come before it.
 * @returns condition over the event columns for those that are left to be copied as they are */
export async function forwardEvents(input: ForwardInput): Promise<string> {
  const { source, target, copyTo, handlers } = input;
  const forwards = new Map<string, Forward>();
  for (const [table, handler] of handlers) {
    const forward = (await handler.forward?.(target)) ?? (repairs(handler) ? repaired : undefined);
    if (forward !== undefined) forwards.set(table, forward);
  }
  const names = [...forwards.keys()].map((name) => quoteLiteral(name)).join(", ");
  const table = await currentEventTable(target, copyTo.queueName);
  const isMirror = copyTo.kind === "mirror";
  const isStored = isMirror
    ? `ev_extra1 in (${names})`
    : `coalesce(ev_type, '') not like 'pgq.%' and (${input.mergeFilter})`;
  const query = await input.eventQuery(isStored);
  const columns = isMirror ? `ev_id, ${contentColumns}` : contentColumns;
  const copy = target.copyIn(`copy ${table} (${columns}) from stdin`);
  await pipeline(Readable.from(changedRows(source, query, forwards, isMirror)), copy);
  await copy.done;
  return isMirror ? `(ev_extra1 is null or ev_extra1 not in (${names}))` : "false";
}

type Forward = (event: PgqEvent) => PgqEvent | undefined;

/** What is no text could not be stored in the queue here. */
function repairs(handler: TableHandler): boolean {
  return handler.repairsText === true;
}

/** Reading it has put U+FFFD in place of bytes that are no UTF-8. */
const repaired: Forward = (event) => event;

async function* changedRows(
  source: Database,
  query: string,
  forwards: ReadonlyMap<string, Forward>,
  hasIds: boolean,
): AsyncGenerator<string, void> {
  for await (const events of copyEventBlocks(source, query)) {
    let chunk = "";
    for (const event of events) {
      const forward = forwards.get(event.extra1 ?? "");
      const changed = forward === undefined ? event : forward(event);
      if (changed !== undefined) chunk += rowOf(changed, hasIds);
    }
    if (chunk !== "") yield chunk;
  }
}

function rowOf(event: PgqEvent, hasId: boolean): string {
  const { id, time, type, data, extra1, extra2, extra3, extra4 } = event;
  return copyRow([...(hasId ? [String(id)] : []), time, type, data, extra1, extra2, extra3, extra4]);
}
