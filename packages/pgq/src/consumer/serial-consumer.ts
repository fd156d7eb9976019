import type { Database, Job } from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";
import type { PgqEvent } from "../event.ts";
import { registerConsumerAt } from "../pgq-api.ts";
import { CompletedWork } from "../pgq-ext-api.ts";
import { BaseConsumer, type ConsumerBatch, type ConsumerDatabases } from "./base-consumer.ts";
import { commitTarget } from "./commit-target.ts";
import { lockTarget } from "./consumer-lock.ts";
import { tickPosition } from "./tick-position.ts";

const lostPositionHint =
  "If the source was restored or the consumer registered again, start once with --rewind: it moves the source back to what the target has. --reset makes the target take the next batch whatever it is.";

/** A consumer that works on another database and records the last tick there, in the same transaction: exactly once on the
 * target, in order. There is no retry queue, which would break the order.
 * Source: spec/pgq-library.md A7 */
export class SerialConsumer extends BaseConsumer {
  static override readonly hasTarget: boolean = true;
  readonly #completed: CompletedWork;

  /** @param trackingSchema schema of the pgq_ext functions on the target */
  constructor(job: Job, databases: ConsumerDatabases, trackingSchema = "pgq_ext") {
    super(job, databases);
    this.#completed = new CompletedWork(trackingSchema, this.consumerName);
  }

  protected override wrapEvents(
    _source: Database,
    _info: BatchInfo,
    blocks: AsyncIterable<PgqEvent[]>,
  ): AsyncIterable<PgqEvent[]> {
    return blocks;
  }

  protected async openTarget(): Promise<Database> {
    return this.job.databases.get(this.databases.targetKey);
  }

  protected override async processBatch(batch: ConsumerBatch): Promise<void> {
    const target = await this.openTarget();
    await lockTarget(target, this.consumerName);
    await this.requireOpenBatch(batch);
    const tracked = await this.#completed.lastTick(target);
    if (tickPosition(batch.info, tracked, lostPositionHint) === "applied") {
      await target.rollback();
      return;
    }
    await this.processRemoteBatch(batch, target);
    await this.#completed.setLastTick(target, batch.info.tickId);
    await commitTarget(target);
  }

  /** Applies one batch within the open transaction of `target`; the default calls `processRemoteEvent` for each event. */
  protected async processRemoteBatch(batch: ConsumerBatch, target: Database): Promise<void> {
    for await (const block of batch.events.blocks()) {
      for (const event of block) {
        const work = this.processRemoteEvent(event, target, batch);
        if (work !== undefined) await work;
      }
    }
  }

  protected processRemoteEvent(
    event: PgqEvent,
    _target: Database,
    batch: ConsumerBatch,
  ): Promise<void> | void {
    return this.processEvent(event, batch);
  }

  /** A first registration starts without a past on the target. */
  protected override async registerAt(source: Database): Promise<boolean> {
    const isNew = await super.registerAt(source);
    if (isNew) await this.#forget();
    return isNew;
  }

  protected override async removeRegistration(source: Database): Promise<number> {
    const count = await super.removeRegistration(source);
    await this.#forget();
    return count;
  }

  async #forget(): Promise<void> {
    const target = await this.openTarget();
    await this.#completed.setLastTick(target, undefined);
    await target.commit();
  }

  override async rewindPosition(): Promise<void> {
    this.job.log.info("Rewinding queue to dst tick pos");
    const target = await this.openTarget();
    const tick = await this.#completed.lastTick(target);
    await target.commit();
    if (tick === undefined) {
      this.job.log.warn(`No tick of ${this.consumerName} found on dst side, ${target.label}`);
      return;
    }
    const source = await this.openSource();
    await registerConsumerAt(source, this.queueName, this.consumerName, tick);
    await source.commit();
    this.job.log.info(`Consumer ${this.consumerName} is at tick ${tick} of queue ${this.queueName}`);
  }

  override async resetPosition(): Promise<void> {
    this.job.log.info("Resetting queue tracking on dst side");
    await this.#forget();
  }
}
