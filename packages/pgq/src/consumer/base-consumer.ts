import {
  type ConfigKey,
  crashPoint,
  type Database,
  type Job,
  type LoopBody,
  UsageError,
} from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";
import { batchGone } from "../batch-gone.ts";
import { copyEventBlocks, filteredBatchSql } from "../batch-reader.ts";
import { BatchStatistics } from "../batch-statistics.ts";
import { commitDurably } from "../durable-commits.ts";
import type { PgqEvent } from "../event.ts";
import {
  batchEventSql,
  finishBatch,
  getBatchInfo,
  nextBatch,
  registerConsumer,
  unregisterConsumer,
} from "../pgq-api.ts";
import { TickBeat } from "../tick-beat.ts";
import { readBatchCursor } from "./batch-cursor.ts";
import { batchCollection, configuredConsumer, configuredQueue } from "./configured.ts";
import { configuredCursor } from "./configured-cursor.ts";
import { ConsumerLock } from "./consumer-lock.ts";
import { configuredFilter } from "./event-filter.ts";
import { EventList } from "./event-list.ts";

/** Config keys of the connect strings of a consumer. */
export interface ConsumerDatabases {
  readonly sourceKey: string;
  readonly targetKey: string;
}

/** An open batch as a consumer class gets it. */
export interface ConsumerBatch<E extends PgqEvent = PgqEvent> {
  readonly queueName: string;
  readonly info: BatchInfo;
  readonly events: EventList<E>;
  /** The source connection, in the transaction that finishes the batch: what is done through it commits together with the
   * acknowledgement, or is rolled back when somebody else has closed the batch meanwhile. Never commit or roll back here. */
  readonly source: Database;
}

/** The rounds of a consumer: open a batch, have it processed, finish it. A failure drops all connections, which rolls back
 * what was done, and the same batch comes again. Programs extend Consumer, CoopConsumer, RemoteConsumer, SerialConsumer or
 * LocalConsumer.
 * Source: spec/pgq-library.md A4 */
export abstract class BaseConsumer<E extends PgqEvent = PgqEvent> implements LoopBody {
  /** further config keys of this class */
  static readonly ownKeys: readonly ConfigKey[] = [];
  /** the class works on a second database */
  static readonly hasTarget: boolean = false;

  readonly queueName: string;
  readonly consumerName: string;
  protected readonly job: Job;
  protected readonly databases: ConsumerDatabases;
  readonly #statistics: BatchStatistics;
  readonly #lock: ConsumerLock;
  readonly #beat = new TickBeat();
  #isWaitingForLock = false;

  /** @throws ConfigError when the queue is not named, UsageError for pgq_autocommit with lazy fetch */
  constructor(job: Job, databases: ConsumerDatabases) {
    this.job = job;
    this.databases = databases;
    // The other side is told afterwards that a batch is done: then it must be on the disk.
    for (const key of [databases.sourceKey, databases.targetKey]) {
      job.databases.setDefaults(key, { onConnect: commitDurably });
    }
    this.queueName = configuredQueue(job.config);
    this.consumerName = configuredConsumer(job.config, job.name);
    this.#statistics = new BatchStatistics(job.statistics, performance.now());
    this.#lock = new ConsumerLock(this.queueName, this.consumerName);
    if (job.config.getBoolean("pgq_autocommit") && job.config.getInt("pgq_lazy_fetch") !== 0) {
      const { message } = job.config.error("pgq_autocommit", "autocommit does not go with lazy fetch");
      throw new UsageError(message, { hint: "Set pgq_lazy_fetch = 0." });
    }
  }

  /** Handles one batch; the default calls `processEvent` for each event. Returning means: acknowledge it. */
  protected async processBatch(batch: ConsumerBatch<E>): Promise<void> {
    for await (const block of batch.events.blocks()) {
      for (const event of block) {
        const work = this.processEvent(event, batch);
        if (work !== undefined) await work;
      }
    }
  }

  /** Handles one event; what it throws brings the whole batch again. */
  protected processEvent(event: E, _batch: ConsumerBatch<E>): Promise<void> | void {
    throw new UsageError(`${this.constructor.name} does not say what to do with event ${event.id}`);
  }

  /** Condition that the server selects events by, over the event columns: raw SQL. Asked for each batch. */
  protected eventFilter(): string | undefined {
    return configuredFilter(this.job.config);
  }

  /** What the class makes of the events that were read. */
  protected abstract wrapEvents(
    source: Database,
    info: BatchInfo,
    blocks: AsyncIterable<PgqEvent[]>,
  ): AsyncIterable<E[]>;

  /** Called when a batch was processed, in the transaction that finishes it. */
  protected async beforeFinish(_source: Database, _info: BatchInfo): Promise<void> {}

  protected async openBatch(source: Database): Promise<BatchInfo | undefined> {
    return nextBatch(source, this.queueName, this.consumerName, batchCollection(this.job.config));
  }

  protected async closeBatch(source: Database, batchId: bigint): Promise<boolean> {
    return finishBatch(source, batchId);
  }

  /** For classes that serialize their processes elsewhere: whoever waited there may hold a batch that the other process has
   * finished meanwhile, with others after it.
   * @throws SkytoolsError BATCH_GONE (retried by a daemon) when the batch is not open any more */
  protected async requireOpenBatch({ source, info }: ConsumerBatch<E>): Promise<void> {
    if ((await getBatchInfo(source, info.batchId)) === undefined) throw batchGone(source, info.batchId);
  }

  protected async openSource(): Promise<Database> {
    const { databases, config } = this.job;
    return databases.get(this.databases.sourceKey, { autocommit: config.getBoolean("pgq_autocommit") });
  }

  async work(): Promise<"busy" | "idle"> {
    const source = await this.openSource();
    if (!(await this.holdsLock(source))) return "idle";
    return this.readBatch(source);
  }

  pauseMs(usualMs: number): number {
    return this.#beat.pauseMs(usualMs, performance.now());
  }

  /** One batch from its opening to its end. */
  protected async readBatch(source: Database): Promise<"busy" | "idle"> {
    this.#statistics.roundStarts(this.job.config.getFloat("keepalive_stats"), performance.now());
    const lookedAt = performance.now();
    const info = await this.openBatch(source);
    await source.commit();
    if (info === undefined) {
      this.#beat.foundNothing(lookedAt);
      return "idle";
    }
    this.#beat.foundBatch(info, lookedAt);
    const where = this.eventFilter();
    const query = async () => filteredBatchSql(await batchEventSql(source, info.batchId), where);
    const found = await this.eventBlocks(source, info.batchId, where, query);
    const events = new EventList({ db: source, blocks: this.wrapEvents(source, info, found), query });
    crashPoint("consumer.before-process");
    await this.processBatch({ queueName: this.queueName, info, events, source });
    crashPoint("consumer.before-finish");
    await this.beforeFinish(source, info);
    if (!(await this.closeBatch(source, info.batchId))) {
      // Whoever closed it has done the same work, or will: committed without the acknowledgement it would count twice.
      await source.rollback();
      this.job.log.warn(
        `batch ${info.batchId} was closed by somebody else on ${source.label}, what was done there for it is rolled back`,
      );
      return "busy";
    }
    crashPoint("consumer.before-commit");
    await source.commit();
    crashPoint("consumer.after-commit");
    this.#statistics.batchEnds(events.fetchedCount, performance.now());
    return "busy";
  }

  /** The events of an open batch as they are fetched. For classes that leave reading to somebody else: nothing. */
  protected async eventBlocks(
    source: Database,
    batchId: bigint,
    where: string | undefined,
    query: () => Promise<string>,
  ): Promise<AsyncIterable<PgqEvent[]>> {
    const { config } = this.job;
    if (config.getInt("pgq_lazy_fetch") > 0) {
      return readBatchCursor(source, batchId, configuredCursor(config, this.queueName, where));
    }
    const loaded: PgqEvent[][] = [];
    for await (const block of copyEventBlocks(source, await query())) loaded.push(block);
    await source.commit();
    return fromArray(loaded);
  }

  /** Whether this process is the one that may read, of those under one name; always, where they are not told apart. */
  protected async holdsLock(source: Database): Promise<boolean> {
    if (!this.job.config.getBoolean("pgq_consumer_lock")) return true;
    const isHeld = await this.#lock.take(source);
    if (!isHeld && !this.#isWaitingForLock) {
      this.job.log.info(`Another process reads queue ${this.queueName} as ${this.consumerName}, waiting`);
    }
    this.#isWaitingForLock = !isHeld;
    return isHeld;
  }

  /** --register */
  async register(): Promise<void> {
    const source = await this.openSource();
    const isNew = await this.registerAt(source);
    await source.commit();
    this.job.log.info(
      isNew
        ? `Registered consumer ${this.consumerName} on queue ${this.queueName}`
        : `Consumer ${this.consumerName} is already registered on queue ${this.queueName}`,
    );
  }

  /** Registers at the newest tick, within the open transaction. @returns false when it was registered already */
  protected async registerAt(source: Database): Promise<boolean> {
    return registerConsumer(source, this.queueName, this.consumerName);
  }

  /** --unregister */
  async unregister(): Promise<void> {
    const source = await this.openSource();
    const count = await this.removeRegistration(source);
    await source.commit();
    this.job.log.info(
      count > 0
        ? `Unregistered consumer ${this.consumerName} from queue ${this.queueName}`
        : `Consumer ${this.consumerName} is not registered on queue ${this.queueName}`,
    );
  }

  /** @returns number of subscriptions removed */
  protected async removeRegistration(source: Database): Promise<number> {
    return unregisterConsumer(source, this.queueName, this.consumerName);
  }

  /** --rewind, where the position is tracked outside of the source: move the source back to the tracked position. */
  rewindPosition?(): Promise<void>;

  /** --reset, where the position is tracked outside of the source: forget the tracked position. */
  resetPosition?(): Promise<void>;
}

async function* fromArray<T>(items: readonly T[]): AsyncGenerator<T, void> {
  yield* items;
}
