import { SkytoolsError } from "@skytools/skytools";
import type { PgqEvent } from "../event.ts";

/** The events of a batch in order, to be gone through once: event by event, or in blocks as they are fetched, which is
 * faster. Events that nobody asks for are acknowledged unseen with the batch.
 * Source: spec/pgq-library.md A4 "Walker contract" */
export class EventList<E extends PgqEvent = PgqEvent> implements AsyncIterable<E> {
  readonly #source: AsyncIterable<E[]>;
  #isStarted = false;
  #fetched = 0;

  constructor(source: AsyncIterable<E[]>) {
    this.#source = source;
  }

  /** events fetched so far, in whole blocks; all of them once the list was gone through */
  get fetchedCount(): number {
    return this.#fetched;
  }

  /** @throws SkytoolsError DOUBLE_FETCH the second time */
  async *blocks(): AsyncGenerator<readonly E[], void> {
    if (this.#isStarted)
      throw new SkytoolsError("DOUBLE_FETCH", "the events of a batch can be read only once");
    this.#isStarted = true;
    for await (const block of this.#source) {
      this.#fetched += block.length;
      yield block;
    }
  }

  /** @throws SkytoolsError DOUBLE_FETCH the second time */
  async *[Symbol.asyncIterator](): AsyncGenerator<E, void> {
    for await (const block of this.blocks()) yield* block;
  }
}
