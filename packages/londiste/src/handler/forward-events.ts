import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { copyEventBlocks, currentEventTable, type PgqEvent } from "@skytools/pgq";
import { copyEventsToQueue } from "@skytools/pgq/cascade";
import { copyRow, type Database, quoteLiteral } from "@skytools/skytools";
import type { TableHandler } from "./handler.ts";

export interface ForwardInput {
  readonly source: Database;
  readonly target: Database;
  /** queue of the target that mirrors the source's */
  readonly queueName: string;
  /** the batch's events, narrowed by a condition */
  readonly eventQuery: (where: string) => Promise<string>;
  readonly handlers: ReadonlyMap<string, TableHandler>;
}

const columns = "ev_id, ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4";

/** True when a handler decides what of its table goes on to the nodes behind this one. */
export function hasForwarders(handlers: ReadonlyMap<string, TableHandler>): boolean {
  return [...handlers.values()].some((handler) => handler.forward !== undefined);
}

/** Copies the events of a batch into a branch's queue, ids and times kept: those of most tables from server to server, those of
 * tables whose handlers change them through here. Within the target's transaction. */
export async function forwardEvents(input: ForwardInput): Promise<void> {
  const { source, target, queueName, handlers } = input;
  const forwards = new Map<string, (event: PgqEvent) => PgqEvent | undefined>();
  for (const [table, handler] of handlers) {
    const forward = await handler.forward?.(target);
    if (forward !== undefined) forwards.set(table, forward);
  }
  const names = [...forwards.keys()].map((name) => quoteLiteral(name)).join(", ");
  const others = `(ev_extra1 is null or ev_extra1 not in (${names}))`;
  await copyEventsToQueue(source, await input.eventQuery(others), target, queueName);
  const table = await currentEventTable(target, queueName);
  const query = await input.eventQuery(`ev_extra1 in (${names})`);
  const copy = target.copyIn(`copy ${table} (${columns}) from stdin`);
  await pipeline(Readable.from(changedRows(source, query, forwards)), copy);
  await copy.done;
}

async function* changedRows(
  source: Database,
  query: string,
  forwards: ReadonlyMap<string, (event: PgqEvent) => PgqEvent | undefined>,
): AsyncGenerator<string, void> {
  for await (const events of copyEventBlocks(source, query)) {
    let chunk = "";
    for (const event of events) {
      const changed = forwards.get(event.extra1 ?? "")?.(event);
      if (changed !== undefined) chunk += rowOf(changed);
    }
    if (chunk !== "") yield chunk;
  }
}

function rowOf(event: PgqEvent): string {
  const { id, time, type, data, extra1, extra2, extra3, extra4 } = event;
  return copyRow([String(id), time, type, data, extra1, extra2, extra3, extra4]);
}
