import type { Database, Job, LoopBody } from "@skytools/skytools";
import { crashPoint, DatabaseError, mergeConnectString, SkytoolsError } from "@skytools/skytools";
import type { BatchCollection, BatchInfo } from "../batch.ts";
import { copyEvents, filteredBatchSql } from "../batch-reader.ts";
import { BatchStatistics } from "../batch-statistics.ts";
import { batchCollection } from "../consumer/configured.ts";
import type { PgqEvent } from "../event.ts";
import { batchEventSql, finishBatch, nextBatch } from "../pgq-api.ts";
import { applyCascadeEvent } from "./cascade-event.ts";
import type {
  BatchOutcome,
  CascadedApplication,
  CascadedBatch,
  CascadeRound,
} from "./cascaded-application.ts";
import { ensureMirroredTick } from "./mirror-tick.ts";
import type { ConsumerState, NodeInfo } from "./node-info.ts";
import {
  getConsumerState,
  getNodeInfo,
  isRefusal,
  lockConsumerState,
  type Refusal,
  setConsumerCompleted,
  setConsumerError,
  setConsumerUptodate,
} from "./pgq-node-api.ts";
import { batchPosition } from "./position.ts";
import { copyEventsToQueue } from "./queue-copy.ts";
import { Period, publishGlobalWatermark, reportLocalWatermark } from "./watermark.ts";
import { workerRole } from "./worker-role.ts";

const providerKey = "_provider_db";

/** SQLSTATE invalid_schema_name */
const missingSchema = "3F000";

export interface CascadedWorkerOptions {
  /** config key of the local database */
  readonly targetKey: string;
  readonly queueName: string;
  readonly consumerName: string;
  /** true: the node's worker; false: a plain cascaded consumer, which skips `pgq.*` events */
  readonly isNodeWorker: boolean;
  /** true while batches must end at each tick, whatever pgq_batch_collect_* says; asked before each batch */
  readonly takesEachTick?: () => boolean;
}

/** The work loop of a cascaded consumer: reads batches from the provider that the local node names, applies each within one
 * target transaction that also moves the position, then finishes it on the provider. May die anywhere and be started again.
 *
 * Why a batch counts exactly once: the position lives in the database that the batch changes and moves in the same
 * transaction; it is read before the batch is opened and again, behind a row lock, before the batch is applied. The provider
 * side may repeat a batch, which is then recognised and only finished.
 * Source: spec/cascade.md 7.3 and 8 */
export function cascadedWorker(
  job: Job,
  application: CascadedApplication,
  options: CascadedWorkerOptions,
): LoopBody {
  return new CascadedWorker(job, application, options);
}

class CascadedWorker implements LoopBody {
  readonly #job: Job;
  readonly #application: CascadedApplication;
  readonly #options: CascadedWorkerOptions;
  readonly #statistics: BatchStatistics;
  readonly #globalPeriod = new Period();
  readonly #localPeriod = new Period();
  readonly #standbyPeriod = new Period();
  #isAfterFailure = false;
  #wasIdle = false;
  #isCollectionRefused = false;

  constructor(job: Job, application: CascadedApplication, options: CascadedWorkerOptions) {
    this.#job = job;
    this.#application = application;
    this.#options = options;
    this.#statistics = new BatchStatistics(job.statistics, Date.now());
  }

  async startup(): Promise<void> {
    await this.#application.startup?.();
  }

  async work(): Promise<"busy" | "idle"> {
    const result = await this.#round();
    this.#isAfterFailure = false;
    return result;
  }

  async reload(): Promise<void> {
    await this.#application.reload?.();
  }

  async reset(): Promise<void> {
    await this.#application.reset?.();
  }

  /** Stores the failure where `status` shows it. Connections are gone, so this opens a new one. */
  async onError(error: unknown): Promise<void> {
    this.#isAfterFailure = true;
    this.#wasIdle = false;
    const { queueName, consumerName } = this.#options;
    const message = error instanceof Error ? error.message : String(error);
    try {
      const target = await this.#openTarget();
      await setConsumerError(target, this.#quiet(), queueName, consumerName, message);
    } catch (failure) {
      const reason = failure instanceof Error ? failure.message : String(failure);
      if (reason === message || isWithoutNode(error)) return;
      this.#job.log.warn(`Failure to call pgq_node.set_consumer_error(): ${reason}`);
    }
  }

  async shutdown(): Promise<void> {
    await this.#application.shutdown?.();
  }

  async #round(): Promise<"busy" | "idle"> {
    const round = await this.#beginRound();
    if (round.state.isPaused) return "idle";
    await this.#application.beginRound?.(round);
    if (!round.role.readsBatches) return this.#standby(round);

    const source = await this.#openSource(round.state);
    this.#statistics.roundStarts(this.#job.config.getFloat("keepalive_stats"), Date.now());
    const { queueName, consumerName } = this.#options;
    const batch = await nextBatch(source, queueName, consumerName, this.#collection(round));
    await source.commit();
    if (batch === undefined) return this.#idle(round, source);
    return this.#processBatch(round, source, batch);
  }

  /** Reads where this consumer stands and acknowledges what administrators have changed. */
  async #beginRound(): Promise<CascadeRound> {
    const { queueName, consumerName, isNodeWorker } = this.#options;
    const { target, state } = await this.#openNode();
    const node = await getNodeInfo(target, queueName);
    await target.commit();
    if (node === undefined) throw notANode(queueName, target.label);
    checkWorkerName(node, consumerName, isNodeWorker);
    if (!state.isUptodate) {
      await setConsumerUptodate(target, this.#quiet(), queueName, consumerName, true);
    }
    if (state.currentError !== null && !this.#isAfterFailure) {
      await setConsumerError(target, this.#quiet(), queueName, consumerName, null);
    }
    return {
      job: this.#job,
      queueName,
      consumerName,
      node,
      role: workerRole(node, isNodeWorker),
      state,
      target,
      isAfterFailure: this.#isAfterFailure,
      wasIdle: this.#wasIdle,
    };
  }

  /** A root reads nothing: it keeps the watermark going and lets the application do its part. The flags of the node are
   * looked at every loop_delay, the rest is done every tenth time. */
  async #standby(round: CascadeRound): Promise<"idle"> {
    const { config, log, statistics } = this.#job;
    if (this.#standbyPeriod.take(config.getFloat("loop_delay") * 10, Date.now())) {
      statistics.put("standby", 1);
      const isDue =
        round.role.publishesGlobalWatermark &&
        this.#globalPeriod.take(config.getFloat("global_wm_publish_period"), Date.now());
      if (isDue) await publishGlobalWatermark(round.target, round.queueName, log);
      await this.#application.rootHousekeeping?.(round);
    }
    await this.#application.idle?.(round, undefined);
    return "idle";
  }

  /** A branch must repeat every tick of its provider, so batches of several ticks are not for it. */
  #collection({ role, node }: CascadeRound): BatchCollection {
    const wanted = batchCollection(this.#job.config);
    if (this.#options.takesEachTick?.() === true) return { minLag: wanted.minLag };
    if (!role.mirrorsTicks) return wanted;
    const isMore = wanted.minCount !== undefined || wanted.minInterval !== undefined;
    if (isMore && !this.#isCollectionRefused) {
      this.#isCollectionRefused = true;
      this.#job.log.warn(`pgq_batch_collect_* is ignored on the branch node "${node.nodeName}"`);
    }
    return { minLag: wanted.minLag };
  }

  async #idle(round: CascadeRound, source: Database): Promise<"busy" | "idle"> {
    this.#wasIdle = true;
    return (await this.#application.idle?.(round, source)) ?? "idle";
  }

  async #processBatch(round: CascadeRound, source: Database, batch: BatchInfo): Promise<"busy" | "idle"> {
    const { queueName, consumerName, role, target } = round;
    if (batchPosition(batch, round.state.completedTick, queueName, consumerName) === "applied") {
      if (role.mirrorsTicks) await ensureMirroredTick(target, queueName, batch);
      await this.#finish(source, batch);
      this.#statistics.batchEnds(0, Date.now());
      return "busy";
    }
    const work = this.#cascadedBatch(round, source, batch);
    if ((await this.#application.beforeBatch?.(work)) === "leave") {
      await source.rollback();
      await target.rollback();
      this.#wasIdle = false;
      return "idle";
    }
    crashPoint("worker.before-apply");
    const outcome = await this.#apply(work);
    if (outcome === undefined) return "busy";
    crashPoint("worker.after-target-commit");
    if (role.mirrorsTicks) {
      await ensureMirroredTick(target, queueName, batch, outcome.maxEventId);
      crashPoint("worker.after-tick");
    }
    await this.#reportWatermark(round, source, batch);
    await this.#finish(source, batch);
    this.#wasIdle = false;
    this.#statistics.batchEnds(outcome.eventCount, Date.now());
    await this.#application.afterBatch?.(work, outcome);
    return "busy";
  }

  /** One target transaction: the events, the queue copy of a branch, the position.
   * @returns undefined when an administrator has paused this consumer meanwhile */
  async #apply(work: CascadedBatch): Promise<BatchOutcome | undefined> {
    const { target, source, queueName, consumerName, role, batch } = work;
    const behindLock = known(await lockConsumerState(target, queueName, consumerName), target);
    if (behindLock.isPaused) {
      await target.rollback();
      await source.rollback();
      return undefined;
    }
    if (behindLock.completedTick !== batch.previousTickId) {
      throw new SkytoolsError(
        "CASCADE_POSITION",
        `position of consumer "${consumerName}" on queue "${queueName}" moved to ${behindLock.completedTick} while batch ${batch.previousTickId}..${batch.tickId} was opened on ${target.label}`,
        { retry: "later", hint: "Another process probably runs under the same consumer name; stop one." },
      );
    }
    const outcome = await this.#application.applyBatch(work);
    if (role.copyTo !== null && outcome.isQueueCopied !== true) {
      await copyEventsToQueue(source, await work.eventQuery(), target, role.copyTo);
      crashPoint("worker.after-queue-copy");
    }
    await source.commit();
    const call = { ...this.#quiet(), commit: false };
    await setConsumerCompleted(target, call, queueName, consumerName, batch.tickId);
    crashPoint("worker.before-target-commit");
    await target.commit();
    return outcome;
  }

  #cascadedBatch(round: CascadeRound, source: Database, batch: BatchInfo): CascadedBatch {
    let sql: Promise<string> | undefined;
    const eventQuery = async (where?: string) => {
      sql ??= batchEventSql(source, batch.batchId);
      return filteredBatchSql(await sql, where);
    };
    const where = { target: round.target, queueName: round.queueName, role: round.role, log: this.#job.log };
    return {
      ...round,
      source,
      batch,
      eventQuery,
      async *events(condition?: string) {
        yield* copyEvents(source, await eventQuery(condition));
      },
      applyCascadeEvent: (event: PgqEvent) => applyCascadeEvent(where, event),
    };
  }

  async #reportWatermark(round: CascadeRound, source: Database, batch: BatchInfo): Promise<void> {
    if (!round.role.reportsLocalWatermark) return;
    const periodSeconds = this.#job.config.getFloat("local_wm_publish_period");
    if (!this.#localPeriod.take(periodSeconds, Date.now())) return;
    await reportLocalWatermark(source, round.target, round.queueName, batch.tickId, this.#job.log);
  }

  async #finish(source: Database, batch: BatchInfo): Promise<void> {
    if (!(await finishBatch(source, batch.batchId))) {
      this.#job.log.warn(`batch ${batch.batchId} was closed by somebody else on ${source.label}`);
    }
    await source.commit();
    crashPoint("worker.after-source-finish");
  }

  /** @throws SkytoolsError CASCADE_NODE when the database has no node, or not even the schemas of one */
  async #openNode(): Promise<{ target: Database; state: ConsumerState }> {
    const { queueName, consumerName } = this.#options;
    try {
      const target = await this.#openTarget();
      return { target, state: known(await getConsumerState(target, queueName, consumerName), target) };
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.sqlState !== missingSchema) throw error;
      throw notANode(queueName, error.database ?? "the local database", error);
    }
  }

  async #openTarget(): Promise<Database> {
    const connect = this.#application.connectTarget?.bind(this.#application);
    return this.#job.databases.get(this.#options.targetKey, connect ? { onConnect: connect } : {});
  }

  async #openSource(state: ConsumerState): Promise<Database> {
    const { config, databases } = this.#job;
    const connect = this.#application.connectSource?.bind(this.#application);
    return databases.get(providerKey, {
      connstr: mergeConnectString(state.providerLocation, config.getOr("remote_extra_connstr", "")),
      ...(connect ? { onConnect: connect } : {}),
    });
  }

  #quiet() {
    return { log: this.#job.log, quiet: true };
  }
}

/** @throws SkytoolsError CASCADE_NODE (retried by a daemon) when the node does not know the consumer */
function known(answer: ConsumerState | Refusal, target: Database): ConsumerState {
  if (!isRefusal(answer)) return answer;
  throw new SkytoolsError("CASCADE_NODE", `${answer.note} (on ${target.label})`, {
    retry: "later",
    hint: "Create the node first, and run the worker under the name that it was created with.",
  });
}

/** There is no place to store a failure. */
function isWithoutNode(error: unknown): boolean {
  return error instanceof SkytoolsError && error.code === "CASCADE_NODE";
}

function notANode(queueName: string, database: string, cause?: unknown): SkytoolsError {
  return new SkytoolsError("CASCADE_NODE", `Unknown queue: ${queueName} (on ${database})`, {
    retry: "later",
    cause,
    hint: "Create the node first: create-root, create-branch or create-leaf.",
  });
}

function checkWorkerName(node: NodeInfo, consumerName: string, isNodeWorker: boolean): void {
  if (!isNodeWorker || node.workerName === consumerName) return;
  throw new SkytoolsError(
    "CASCADE_NODE",
    `node "${node.nodeName}" of queue "${node.queueName}" is maintained by worker "${node.workerName}", not by "${consumerName}"`,
    { retry: "later", hint: "Set consumer_name (or job_name) to the name that the node was created with." },
  );
}
