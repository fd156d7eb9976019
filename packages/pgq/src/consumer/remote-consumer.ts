import { crashPoint, type Database, type Job } from "@skytools/skytools";
import { CompletedWork } from "../pgq-ext-api.ts";
import type { ConsumerBatch, ConsumerDatabases } from "./base-consumer.ts";
import { commitTarget } from "./commit-target.ts";
import type { ConsumedEvent } from "./consumed-event.ts";
import { Consumer } from "./consumer.ts";
import { lockTarget } from "./consumer-lock.ts";

/** A consumer that works on another database and records the last batch there, in the same transaction: exactly once on the
 * target, as long as the registration stays. A new registration numbers batches anew; SerialConsumer does not have that
 * weakness. Tags are committed on the source just before: a process that dies between the two commits decides about the batch
 * anew.
 * Source: spec/pgq-library.md A7 */
export class RemoteConsumer extends Consumer {
  static override readonly hasTarget: boolean = true;
  readonly #completed: CompletedWork;

  /** @param trackingSchema schema of the pgq_ext functions on the target */
  constructor(job: Job, databases: ConsumerDatabases, trackingSchema = "pgq_ext") {
    super(job, databases);
    this.#completed = new CompletedWork(trackingSchema, this.consumerName);
  }

  protected override async processBatch(batch: ConsumerBatch<ConsumedEvent>): Promise<void> {
    const target = await this.job.databases.get(this.databases.targetKey);
    await lockTarget(target, this.consumerName);
    await this.requireOpenBatch(batch);
    if (await this.#completed.isBatchDone(target, batch.info.batchId)) {
      await target.rollback();
      return;
    }
    await this.processRemoteBatch(batch, target);
    await this.#completed.setBatchDone(target, batch.info.batchId);
    if (this.hasTags) await this.#commitTags(batch, target);
    await commitTarget(target);
  }

  /** Before the target's commit: after it nobody would read the events again, and with them their tags would be gone. What could still
   * refuse that commit, and with it bring the batch and its tags again and again, is asked first. */
  async #commitTags({ source, info }: ConsumerBatch<ConsumedEvent>, target: Database): Promise<void> {
    await target.execute("set constraints all immediate");
    await this.sendTags(source, info);
    await source.commit();
    crashPoint("consumer.after-tags");
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
