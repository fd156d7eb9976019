import { crashPoint, type Database, type Job } from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";
import { CompletedWork } from "../pgq-ext-api.ts";
import type { ConsumerBatch, ConsumerDatabases } from "./base-consumer.ts";
import { commitTarget } from "./commit-target.ts";
import type { ConsumedEvent } from "./consumed-event.ts";
import { Consumer, mostWaitingTags, type TagList } from "./consumer.ts";
import { lockTarget } from "./consumer-lock.ts";

/** A consumer that works on another database and records the last batch there, in the same transaction: exactly once on the
 * target, as long as the registration stays. A new registration numbers batches anew; SerialConsumer does not have that
 * weakness. Tags are kept in the target's transaction too, and handed to the queue in the one that finishes the batch.
 * Source: spec/pgq-library.md A7 */
export class RemoteConsumer extends Consumer {
  static override readonly hasTarget: boolean = true;
  readonly #completed: CompletedWork;
  /** the target had the batch already: its tags may still be missing on the queue */
  #isRepeated = false;

  /** @param trackingSchema schema of the pgq_ext functions on the target */
  constructor(job: Job, databases: ConsumerDatabases, trackingSchema = "pgq_ext") {
    super(job, databases);
    this.#completed = new CompletedWork(trackingSchema, this.consumerName);
  }

  protected override async processBatch(batch: ConsumerBatch<ConsumedEvent>): Promise<void> {
    const target = await this.#openTarget();
    await lockTarget(target, this.consumerName);
    await this.requireOpenBatch(batch);
    this.#isRepeated = await this.#completed.isBatchDone(target, batch.info.batchId);
    if (this.#isRepeated) {
      await target.rollback();
      return;
    }
    await this.processRemoteBatch(batch, target);
    await this.#completed.setBatchDone(target, batch.info.batchId);
    if (this.hasTags) await this.#settleTags(batch, target);
    await commitTarget(target);
  }

  async #openTarget(): Promise<Database> {
    return this.job.databases.get(this.databases.targetKey);
  }

  /** In a target whose module keeps no tags they are committed on the source instead, before the target: after its commit nobody would
   * read the events again, and their tags would be gone. A process that dies between the two commits decides about the batch anew. What
   * could still refuse the target's commit, and with it bring the tags again and again, is asked first. */
  async #settleTags({ source, info }: ConsumerBatch<ConsumedEvent>, target: Database): Promise<void> {
    const isKept = await this.#completed.keepsTags(target);
    if (!isKept) await target.execute("set constraints all immediate");
    await this.putTags(source, info, this.takeTags());
    if (isKept) return;
    await source.commit();
    crashPoint("consumer.after-tags");
  }

  protected override async putTags(source: Database, info: BatchInfo, tags: TagList): Promise<void> {
    const target = await this.#openTarget();
    if (!(await this.#completed.keepsTags(target))) await this.sendTags(source, info, tags);
    else if (tags.length > 0) await this.#completed.tagEvents(target, info.batchId, tags);
  }

  protected override async beforeFinish(source: Database, info: BatchInfo): Promise<void> {
    if (!this.#isRepeated && !this.hasTags) return;
    const target = await this.#openTarget();
    if (await this.#completed.keepsTags(target)) {
      const tags = this.#completed.eventTags(target, info.batchId, mostWaitingTags);
      for await (const part of tags) await this.sendTags(source, info, part);
    }
    await target.rollback();
  }

  /** Applies one batch within the open transaction of `target`; the default calls `processRemoteEvent` for each event. */
  protected async processRemoteBatch(batch: ConsumerBatch<ConsumedEvent>, target: Database): Promise<void> {
    for await (const block of batch.events.blocks()) {
      for (const event of block) {
        const work = this.processRemoteEvent(event, target, batch);
        if (work !== undefined) await work;
      }
    }
  }

  protected processRemoteEvent(
    event: ConsumedEvent,
    _target: Database,
    batch: ConsumerBatch<ConsumedEvent>,
  ): Promise<void> | void {
    return this.processEvent(event, batch);
  }
}
