/** What a consumer has decided about one event of its batch. */
export type EventTag =
  | { readonly kind: "retry"; readonly seconds: number }
  | { readonly kind: "failed"; readonly reason: string };

/** The tags of a batch by event id: events themselves can be forgotten. Tags that are sent in the middle of the batch,
 * to keep memory bounded, can no longer be changed. */
export class EventTags {
  readonly #waiting = new Map<bigint, EventTag>();
  /** events up to this id have been sent */
  #sentUpTo = -1n;

  /** number of tags that wait to be sent */
  get size(): number {
    return this.#waiting.size;
  }

  /** nothing was tagged, or all of it taken back */
  get isEmpty(): boolean {
    return this.#waiting.size === 0 && this.#sentUpTo < 0n;
  }

  put(eventId: bigint, tag: EventTag): void {
    this.#refuseSent(eventId);
    this.#waiting.set(eventId, tag);
  }

  /** The event is done after all. */
  remove(eventId: bigint): void {
    if (this.#waiting.size > 0 || this.#sentUpTo >= 0n) {
      this.#refuseSent(eventId);
      this.#waiting.delete(eventId);
    }
  }

  /** Takes the waiting tags out, in the order of the events' ids. */
  take(): [bigint, EventTag][] {
    const tags = [...this.#waiting].sort(([a], [b]) => (a < b ? -1 : 1));
    const last = tags.at(-1);
    if (last !== undefined) this.#sentUpTo = last[0];
    this.#waiting.clear();
    return tags;
  }

  #refuseSent(eventId: bigint): void {
    if (eventId > this.#sentUpTo) return;
    throw new RangeError(`the tag of event ${eventId} was sent to the server already`);
  }
}
