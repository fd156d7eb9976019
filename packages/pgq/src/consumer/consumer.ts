import type { Database } from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";
import type { PgqEvent } from "../event.ts";
import { BaseConsumer } from "./base-consumer.ts";
import { ConsumedEvent } from "./consumed-event.ts";
import { EventTags } from "./event-tag.ts";
import { sendTags } from "./send-tags.ts";

/** Tags that a batch may have before they are sent, in the middle of it. */
const mostWaitingTags = 10_000;

/** A consumer whose position is kept by the queue alone. Everything done through `batch.source` happens exactly once;
 * everything else at least once. Events may be sent to the retry queue or given up.
 *
 *     class Mailer extends Consumer {
 *       override async processEvent(event: ConsumedEvent) { ... }
 *     }
 * Source: spec/pgq-library.md A4 to A6 */
export class Consumer extends BaseConsumer<ConsumedEvent> {
  #tags = new EventTags();

  protected override async *wrapEvents(source: Database, info: BatchInfo, blocks: AsyncIterable<PgqEvent[]>) {
    this.#tags = new EventTags();
    const tags = this.#tags;
    for await (const block of blocks) {
      yield block.map((event) => new ConsumedEvent(event, tags));
      if (tags.size >= mostWaitingTags) await this.sendTags(source, info);
    }
  }

  protected override async beforeFinish(source: Database, info: BatchInfo): Promise<void> {
    await this.sendTags(source, info);
  }

  /** Some events of the batch are tagged. */
  protected get hasTags(): boolean {
    return !this.#tags.isEmpty;
  }

  /** Hands the tags of the batch to the server, within the open transaction. */
  protected async sendTags(source: Database, info: BatchInfo): Promise<void> {
    const sent = await sendTags(source, info.batchId, this.#tags.take());
    const { statistics } = this.job;
    if (sent.retried > 0) statistics.increase("retry-events", sent.retried);
    if (sent.failed > 0) statistics.increase("failed-events", sent.failed);
  }
}
