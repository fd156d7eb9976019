import { SkytoolsError } from "@skytools/skytools";
import { ApplyError } from "./apply-error.ts";
import type { AppliedTable } from "./batch-tables.ts";
import type { RawEvent } from "./event-line.ts";
import { readableRaw } from "./row-layout.ts";

/** All that a message needs of an event. */
export type EventIds = Pick<RawEvent, "id" | "txid">;

export function retriedEvent(event: RawEvent, queueName: string): SkytoolsError {
  const text = `event ${event.id} of type "${readableRaw(event.type) ?? ""}" in queue "${queueName}" was put into the retry queue: its order is lost`;
  return new SkytoolsError("CASCADE_EVENT", text, { retry: "later" });
}

export function unknownEvent(event: RawEvent, queueName: string): SkytoolsError {
  return new SkytoolsError(
    "CASCADE_EVENT",
    `Unhandled event type in queue: ${readableRaw(event.type) ?? ""} (queue "${queueName}", event ${event.id})`,
    { retry: "later" },
  );
}

export function refusedEvent(event: EventIds, table: AppliedTable, operation: string): ApplyError {
  return new ApplyError(`${operation} is not for this way of loading`, {
    eventId: event.id,
    eventTxid: event.txid,
    table: table.name,
    operation,
  });
}

export function noTable(event: EventIds, destination: string): ApplyError {
  return new ApplyError("the table does not exist on this node", {
    eventId: event.id,
    eventTxid: event.txid,
    table: destination,
  });
}
