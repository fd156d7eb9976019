import type { PgqEvent } from "../event.ts";
import type { EventTags } from "./event-tag.ts";

/** An event of a consumer that may send it to the retry queue or give it up. Untagged events are done; the last tag wins.
 * Nothing reaches the server before the batch is finished, and then in the same transaction.
 * Source: spec/pgq-library.md A5, A6 */
export class ConsumedEvent implements PgqEvent {
  readonly id: bigint;
  readonly time: string;
  readonly txid: bigint;
  readonly retry: number | null;
  readonly type: string | null;
  readonly data: string | null;
  readonly extra1: string | null;
  readonly extra2: string | null;
  readonly extra3: string | null;
  readonly extra4: string | null;
  readonly #tags: EventTags;

  constructor(event: PgqEvent, tags: EventTags) {
    this.id = event.id;
    this.time = event.time;
    this.txid = event.txid;
    this.retry = event.retry;
    this.type = event.type;
    this.data = event.data;
    this.extra1 = event.extra1;
    this.extra2 = event.extra2;
    this.extra3 = event.extra3;
    this.extra4 = event.extra4;
    this.#tags = tags;
  }

  /** Takes an earlier tag back. */
  tagDone(): void {
    this.#tags.remove(this.id);
  }

  /** Delivers the event again, to this consumer alone and out of order, after at least `seconds`. Beyond the queue's
   * `retry_limit` it becomes a failed event instead. */
  tagRetry(seconds = 60): void {
    this.#tags.put(this.id, { kind: "retry", seconds });
  }

  /** Puts the event aside with a reason: see pgq.failed_event_list and pgq.failed_event_retry. */
  tagFailed(reason: string): void {
    this.#tags.put(this.id, { kind: "failed", reason });
  }
}
