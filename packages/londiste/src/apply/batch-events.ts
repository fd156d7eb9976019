import { type ApplyInput, usualLimits } from "./apply-input.ts";
import { BatchTables } from "./batch-tables.ts";
import { readEventsSql } from "./event-line.ts";
import { countLines, inOrderOfIds, lineBlocks } from "./line-blocks.ts";

/** More bytes than that are not held back to be sorted here. */
const mostHeldBytes = 4_000_000;

/** State of the provider's transaction before an unordered read: ending such a read early may make the transaction fail. */
export const readSavepoint = "londiste_read";

/** The events of a batch as COPY lines, in blocks, as they come from the provider. Close it, unless it was read to the end.
 * Source: design "Apply" */
export class BatchEvents implements AsyncDisposable {
  /** they come in the order of their ids */
  readonly isOrdered: boolean;
  readonly #begin: readonly Buffer[];
  readonly #rest: AsyncGenerator<Buffer, void>;

  private constructor(isOrdered: boolean, begin: readonly Buffer[], rest: AsyncGenerator<Buffer, void>) {
    this.isOrdered = isOrdered;
    this.#begin = begin;
    this.#rest = rest;
  }

  /** Reads events that the server has sorted. */
  static inOrder(input: ApplyInput): BatchEvents {
    return new BatchEvents(true, [], read(input, true));
  }

  /** Reads events in whatever order the server finds them, which spares it sorting them with all their data. A few are put in order
   * here. How many there are is known only when they have come: ticks count events when they are written, so those of a long
   * transaction lie before the tick after which the batch begins. */
  static async inAnyOrder(input: ApplyInput): Promise<BatchEvents> {
    const { orderedEvents } = input.limits ?? usualLimits;
    const blocks = read(input, false);
    if (input.expectedEvents >= orderedEvents) return new BatchEvents(false, [], blocks);
    const begin: Buffer[] = [];
    let events = 0;
    let bytes = 0;
    while (events < orderedEvents && bytes < mostHeldBytes) {
      const next = await blocks.next();
      if (next.done === true) return new BatchEvents(true, inOrderOfIds(begin), blocks);
      begin.push(next.value);
      events += countLines(next.value);
      bytes += next.value.length;
    }
    return new BatchEvents(false, begin, blocks);
  }

  async *blocks(): AsyncGenerator<Buffer, void> {
    for (const block of this.#begin) yield block;
    for await (const block of this.#rest) yield block;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rest.return();
  }
}

async function* read(input: ApplyInput, isOrdered: boolean): AsyncGenerator<Buffer, void> {
  const { source, eventQuery } = input;
  const { wanted, whole } = new BatchTables(input);
  const sql = readEventsSql(eventQuery, wanted, whole, isOrdered);
  const savepoint = !isOrdered && source.isTransactional ? `savepoint ${readSavepoint}; ` : "";
  yield* lineBlocks(source.copyOut(`${savepoint}${sql}`) as AsyncIterable<Buffer>);
}
