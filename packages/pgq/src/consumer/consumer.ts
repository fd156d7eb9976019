import type { Database } from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";
import type { PgqEvent } from "../event.ts";
import { BaseConsumer } from "./base-consumer.ts";
import { ConsumedEvent } from "./consumed-event.ts";
import { type EventTag, EventTags } from "./event-tag.ts";
import { sendTags } from "./send-tags.ts";

/** Tags that a batch may have before they are sent, in the middle of it. */
export const mostWaitingTags = 10_000;

/** Tags by event id, in order. */
export type TagList = readonly (readonly [bigint, EventTag])[];

/** A consumer whose position is kept by the queue alone. Everything done through `batch.source` happens exactly once;
 * everything else at least once. Events may be sent to the retry queue or given up.
 *
 *     class Mailer extends Consumer {
 *       override async processEvent(event: ConsumedEvent) { ... }
 *     }
 * Source: spec/pgq-library.md A4 to A6 */
export class Consumer extends BaseConsumer<ConsumedEvent> {
  #tags = new EventTags();

  protected override wrapEvents(source: Database, info: BatchInfo, blocks: AsyncIterable<PgqEvent[]>) {
    this.#tags = new EventTags();
    return this.#withTags(source, info, blocks, this.#tags);
  }

  async *#withTags(source: Database, info: BatchInfo, blocks: AsyncIterable<PgqEvent[]>, tags: EventTags) {
    for await (const block of blocks) {
      yield block.map((event) => new ConsumedEvent(event, tags));
      if (tags.size >= mostWaitingTags) await this.putTags(source, info, tags.take());
    }
  }

  protected override async beforeFinish(source: Database, info: BatchInfo): Promise<void> {
    await this.putTags(source, info, this.takeTags());
  }

  /** Some events of the batch are tagged. */
  protected get hasTags(): boolean {
    return !this.#tags.isEmpty;
  }

  /** The tags of the batch that wait. */
  protected takeTags(): TagList {
    return this.#tags.take();
  }

  /** Puts tags where they are safe together with the work, within the open transaction: with the queue. */
  protected async putTags(source: Database, info: BatchInfo, tags: TagList): Promise<void> {
    await this.sendTags(source, info, tags);
  }

  /** Hands tags to the queue, within the open transaction. */
  protected async sendTags(source: Database, info: BatchInfo, tags: TagList): Promise<void> {
    const sent = await sendTags(source, info.batchId, tags);
    const { statistics } = this.job;
    if (sent.retried > 0) statistics.increase("retry-events", sent.retried);
    if (sent.failed > 0) statistics.increase("failed-events", sent.failed);
  }
}
