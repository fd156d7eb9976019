import { type BulkEvent, insertEvents, type PgqEvent } from "@skytools/pgq";
import { UsageError } from "@skytools/skytools";
import type { EventSink, Handler, HandlerBatch } from "./handler.ts";

/** Collected events go to the queue when they have this many characters. */
const maxLength = 1_000_000;

/** Source: spec/londiste.md 12.3 */
export const qsplitterHandler: Handler = {
  name: "qsplitter",
  summary: "puts the table's events into another queue of the local database",
  doc: "Type, data, extras and time are kept, ids are new. In the transaction of the batch: no event is lost or doubled.",
  arguments: [{ name: "queue", doc: "name of the other queue" }],
  create: ({ arguments: values }) => {
    const queueName = values.get("queue") ?? "";
    if (queueName === "") throw new UsageError("specify queue with handler-arg");
    return {
      needsTable: false,
      registration: ["virtual_table"],
      copiesRows: false,
      isComplete: false,
      open: (batch) => new QueueSink(batch, queueName),
    };
  },
};

class QueueSink implements EventSink {
  readonly #batch: HandlerBatch;
  readonly #queueName: string;
  #events: BulkEvent[] = [];
  #length = 0;

  constructor(batch: HandlerBatch, queueName: string) {
    this.#batch = batch;
    this.#queueName = queueName;
  }

  async row({ event }: { readonly event: PgqEvent }): Promise<void> {
    this.#events.push(bulkEvent(event));
    this.#length += 200 + (event.data?.length ?? 0);
    if (this.#length >= maxLength) await this.flush();
  }

  async truncate(event: PgqEvent): Promise<void> {
    await this.row({ event });
  }

  async flush(): Promise<void> {
    const events = this.#events;
    this.#events = [];
    this.#length = 0;
    if (events.length > 0) await insertEvents(this.#batch.target, this.#queueName, events);
  }
}

function bulkEvent(event: PgqEvent): BulkEvent {
  return {
    type: event.type ?? "",
    data: event.data,
    time: event.time,
    extra1: event.extra1,
    extra2: event.extra2,
    extra3: event.extra3,
    extra4: event.extra4,
  };
}
