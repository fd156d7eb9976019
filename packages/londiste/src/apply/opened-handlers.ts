import type { EventSink, HandlerBatch, TableHandler } from "../handler/handler.ts";

/** What the handlers that take events themselves have opened within one batch, by set name of the table. */
export class OpenedHandlers {
  readonly #batch: HandlerBatch;
  readonly #sinks = new Map<string, EventSink>();

  constructor(batch: HandlerBatch) {
    this.#batch = batch;
  }

  async sinkOf(name: string, handler: TableHandler): Promise<EventSink> {
    const known = this.#sinks.get(name);
    if (known !== undefined) return known;
    const opened = await handler.open?.(this.#batch);
    const sink = opened ?? { row: async () => {}, flush: async () => {} };
    this.#sinks.set(name, sink);
    return sink;
  }

  async flush(): Promise<void> {
    for (const sink of this.#sinks.values()) await sink.flush();
  }

  /** The next events are for handlers opened anew. */
  forget(): void {
    this.#sinks.clear();
  }
}
