import { isUtf8 } from "node:buffer";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { currentEventTable, eventFromCopyLine, type PgqEvent } from "@skytools/pgq";
import type { QueueCopy } from "@skytools/pgq/cascade";
import { copyRow, type Database, quoteLiteral, SkytoolsError } from "@skytools/skytools";
import { lineBlocks } from "../apply/line-blocks.ts";
import { damagedTextHint } from "../apply/row-layout.ts";
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

const newline = 0x0a;
const contentColumns = "ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4";

/** True when a handler decides what of its table goes on to the nodes behind this one. */
export function hasForwarders(handlers: ReadonlyMap<string, TableHandler>): boolean {
  return [...handlers.values()].some((handler) => handler.forward !== undefined || repairs(handler));
}

/** Stores events of tables whose handlers change them, or leave some out, into the queue of this node, within the target's
 * transaction. In a branch's queue they have their ids. In a combined queue they get new ones as they come, so there all events of
 * the batch are stored here, in order: one that follows a script must not come before it.
 * @throws SkytoolsError EVENT_DATA for text that is none, unless its handler repairs it
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
  await pipeline(Readable.from(changedRows(source, query, input, forwards)), copy);
  await copy.done;
  return isMirror ? `(ev_extra1 is null or ev_extra1 not in (${names}))` : "false";
}

type Forward = (event: PgqEvent) => PgqEvent | undefined;

/** What is no text could not be stored in the queue here. */
function repairs(handler: TableHandler | undefined): boolean {
  return handler?.repairsText === true;
}

/** Reading it has put U+FFFD in place of bytes that are no UTF-8. */
const repaired: Forward = (event) => event;

async function* changedRows(
  source: Database,
  query: string,
  { copyTo, handlers }: ForwardInput,
  forwards: ReadonlyMap<string, Forward>,
): AsyncGenerator<string, void> {
  const hasIds = copyTo.kind === "mirror";
  const stream = source.copyOut(`copy (${query}) to stdout`) as AsyncIterable<Buffer>;
  for await (const block of lineBlocks(stream)) {
    const isWhole = isUtf8(block);
    let chunk = "";
    for (const line of linesOf(block)) {
      const event = eventFromCopyLine(line.toString("utf8"));
      const table = event.extra1 ?? "";
      if (!isWhole && !isUtf8(line) && !repairs(handlers.get(table))) throw damaged(event, copyTo.queueName);
      const forward = forwards.get(table);
      const changed = forward === undefined ? event : forward(event);
      if (changed !== undefined) chunk += rowOf(changed, hasIds);
    }
    if (chunk !== "") yield chunk;
  }
}

/** @param block of whole lines
 * @returns them without their line ends */
function* linesOf(block: Buffer): Generator<Buffer, void> {
  for (let start = 0; start < block.length; ) {
    const end = block.indexOf(newline, start);
    yield block.subarray(start, end);
    start = end + 1;
  }
}

/** As text it would go on with other bytes than it has. */
function damaged(event: PgqEvent, queueName: string): SkytoolsError {
  return new SkytoolsError(
    "EVENT_DATA",
    `text that is not valid UTF-8 cannot go on to queue "${queueName}": event ${event.id} of table "${event.extra1 ?? ""}"`,
    { retry: "later", hint: damagedTextHint },
  );
}

function rowOf(event: PgqEvent, hasId: boolean): string {
  const { id, time, type, data, extra1, extra2, extra3, extra4 } = event;
  return copyRow([...(hasId ? [String(id)] : []), time, type, data, extra1, extra2, extra3, extra4]);
}
