import { statSync } from "node:fs";
import { dirname } from "node:path";
import { type ConfigKey, crashPoint, type Database, type Job } from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";
import type { PgqEvent } from "../event.ts";
import { registerConsumerAt } from "../pgq-api.ts";
import { BaseConsumer, type ConsumerBatch, type ConsumerDatabases } from "./base-consumer.ts";
import { trackingFileKey } from "./consumer-config.ts";
import { reconcile } from "./reconcile.ts";
import { TickFile } from "./tick-file.ts";
import { tickPosition } from "./tick-position.ts";

const lostPositionHint = "The next round compares the queue with the tick file again.";

/** A consumer that keeps its position in a file of its own, so that it can read the same queue elsewhere, from another node
 * of a cascaded queue or a restored database. At least once, in order; it registers itself.
 * Source: spec/pgq-library.md A8 */
export class LocalConsumer extends BaseConsumer {
  static override readonly ownKeys: readonly ConfigKey[] = [trackingFileKey];
  #file: TickFile;
  #isReconciled = false;

  /** @throws ConfigError when the directory of the tick file does not exist */
  constructor(job: Job, databases: ConsumerDatabases) {
    super(job, databases);
    this.#file = this.#configuredFile();
  }

  #configuredFile(): TickFile {
    const path = this.job.config.getFile("local_tracking_file");
    if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() === true) return new TickFile(path);
    throw this.job.config.error(
      "local_tracking_file",
      `directory ${dirname(path)} does not exist`,
      "Create it, writable for the user that runs this program.",
    );
  }

  protected override wrapEvents(
    _source: Database,
    _info: BatchInfo,
    blocks: AsyncIterable<PgqEvent[]>,
  ): AsyncIterable<PgqEvent[]> {
    return blocks;
  }

  async startup(): Promise<void> {
    const source = await this.openSource();
    // A process that stands by must not move the position of the one that reads.
    if (await this.holdsLock(source)) await this.#reconcile(source);
  }

  async reload(): Promise<void> {
    this.#file = this.#configuredFile();
    this.#isReconciled = false;
  }

  async reset(): Promise<void> {
    this.#isReconciled = false;
  }

  protected override async readBatch(source: Database): Promise<"busy" | "idle"> {
    if (!this.#isReconciled) await this.#reconcile(source);
    return super.readBatch(source);
  }

  async #reconcile(source: Database): Promise<void> {
    await reconcile(source, this.#file, this.queueName, this.consumerName, this.job.log);
    this.#isReconciled = true;
  }

  protected override async processBatch(batch: ConsumerBatch): Promise<void> {
    if (tickPosition(batch.info, await this.#file.read(), lostPositionHint) === "applied") return;
    await this.processLocalBatch(batch);
    crashPoint("consumer.before-tick-file");
    await this.#file.write(batch.info.tickId);
    crashPoint("consumer.after-tick-file");
  }

  /** Handles one batch; the default calls `processLocalEvent` for each event. */
  protected async processLocalBatch(batch: ConsumerBatch): Promise<void> {
    for await (const block of batch.events.blocks()) {
      for (const event of block) {
        const work = this.processLocalEvent(event, batch);
        if (work !== undefined) await work;
      }
    }
  }

  protected processLocalEvent(event: PgqEvent, batch: ConsumerBatch): Promise<void> | void {
    return this.processEvent(event, batch);
  }

  /** A first registration starts without a past. */
  protected override async registerAt(source: Database): Promise<boolean> {
    const isNew = await super.registerAt(source);
    if (isNew) await this.#file.delete();
    return isNew;
  }

  protected override async removeRegistration(source: Database): Promise<number> {
    const count = await super.removeRegistration(source);
    await this.#file.delete();
    return count;
  }

  override async rewindPosition(): Promise<void> {
    const tick = await this.#file.read();
    if (tick === undefined) {
      this.job.log.error(`Cannot rewind, no tick found in ${this.#file.path}`);
      return;
    }
    const source = await this.openSource();
    await registerConsumerAt(source, this.queueName, this.consumerName, tick);
    await source.commit();
    this.job.log.info(`Consumer ${this.consumerName} is at tick ${tick} of queue ${this.queueName}`);
  }

  override async resetPosition(): Promise<void> {
    await this.#file.delete();
    this.job.log.info(`Removed tick file ${this.#file.path}`);
  }
}
