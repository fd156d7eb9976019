import { configuredCursor, configuredFilter, EventList, readBatchCursor } from "@skytools/pgq";
import type { BatchOutcome, CascadedApplication, CascadedBatch } from "@skytools/pgq/cascade";
import { configuredQueue } from "@skytools/pgq/cascade";
import { type Job, UsageError } from "@skytools/skytools";
import { type QueueCopier, withoutCascadeEvents } from "./queue-copier.ts";

/** Copies the events of a cascaded queue from the node that the target's node of it names. Any queue of the target by the name of the
 * cascaded one is that node's own. */
export class CascadedCopy implements CascadedApplication {
  readonly #job: Job;
  readonly #copier: QueueCopier;

  constructor(job: Job, copier: QueueCopier) {
    this.#job = job;
    this.#copier = copier;
  }

  /** @throws UsageError when the configuration makes events go round */
  async startup(): Promise<void> {
    const fixed = this.#copier.fixedQueue();
    if (fixed?.name === configuredQueue(this.#job.config)) throw new UsageError(fixed.refusal.message);
  }

  async applyBatch(work: CascadedBatch): Promise<BatchOutcome> {
    const { source, target, queueName, batch } = work;
    const { config } = this.#job;
    const where = withoutCascadeEvents(configuredFilter(config));
    const events = new EventList({
      db: source,
      blocks: readBatchCursor(source, batch.batchId, configuredCursor(config, queueName, where)),
      query: () => work.eventQuery(where),
    });
    await this.#copier.copy({ events, isOwnQueue: async (name) => name === queueName }, target);
    return { eventCount: events.fetchedCount };
  }
}
