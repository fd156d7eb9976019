import type { Database, Job, LoopBody } from "@skytools/skytools";
import { crashPoint } from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";
import { BatchStatistics } from "../batch-statistics.ts";
import { finishBatch } from "../pgq-api.ts";
import { BatchChoice } from "./batch-choice.ts";
import { applyInOneTransaction } from "./batch-transaction.ts";
import type { CascadedApplication, CascadedBatch, CascadeRound } from "./cascaded-application.ts";
import { cascadedBatch } from "./cascaded-batch.ts";
import type { CascadedWorkerOptions } from "./cascaded-worker-options.ts";
import { sleepUntilAsked } from "./failure-sleep.ts";
import { completeFormerTick, ensureMirroredTick, makeMirroredTick } from "./mirror-tick.ts";
import type { NodeInfo } from "./node-info.ts";
import {
  checkCombinedQueue,
  checkWorkerName,
  isWithoutNode,
  notANode,
  openNode,
  openSource,
  openTarget,
} from "./node-session.ts";
import { getNodeInfo, setConsumerError, setConsumerUptodate, storesTickTimes } from "./pgq-node-api.ts";
import { batchPosition } from "./position.ts";
import { ProviderReport } from "./provider-report.ts";
import { checkAppliedBatch, checkCoveredBatch } from "./tick-identity.ts";
import { Period, publishGlobalWatermark } from "./watermark.ts";
import { type WorkerRole, workerRole } from "./worker-role.ts";

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
  readonly #choice: BatchChoice;
  readonly #report: ProviderReport;
  readonly #globalPeriod = new Period();
  readonly #standbyPeriod = new Period();
  #isAfterFailure = false;
  /** the last round has told that it knows what administrators had set */
  #isAcknowledged = false;
  #wasIdle = false;
  #isPlainLeaf = false;
  /** asked once: the schema may change while nobody is connected to it */
  #storesTickTimes: boolean | undefined;

  constructor(job: Job, application: CascadedApplication, options: CascadedWorkerOptions) {
    this.#job = job;
    this.#application = application;
    this.#options = options;
    this.#statistics = new BatchStatistics(job.statistics, Date.now());
    this.#choice = new BatchChoice(job, options);
    this.#report = new ProviderReport(job);
  }

  async startup(): Promise<void> {
    await this.#application.startup?.();
  }

  async work(): Promise<"busy" | "idle"> {
    const result = await this.#round();
    this.#isAfterFailure = false;
    return result;
  }

  pauseMs(usualMs: number): number {
    return this.#choice.pauseMs(usualMs);
  }

  async reload(): Promise<void> {
    this.#storesTickTimes = undefined;
    await this.#application.reload?.();
  }

  async reset(): Promise<void> {
    await this.#application.reset?.();
  }

  /** Stores the failure where `status` shows it, and nothing else: what the round has written is rolled back, also when the
   * session has outlived it, as it does when the provider is what failed. */
  async onError(error: unknown): Promise<void> {
    this.#isAfterFailure = true;
    this.#wasIdle = false;
    this.#choice.roundFailed();
    this.#storesTickTimes = undefined;
    const { queueName, consumerName } = this.#options;
    const message = error instanceof Error ? error.message : String(error);
    try {
      const target = await openTarget(this.#job, this.#application, this.#options.targetKey);
      await target.rollback();
      await setConsumerError(target, this.#quiet(), queueName, consumerName, message);
    } catch (failure) {
      const reason = failure instanceof Error ? failure.message : String(failure);
      if (reason === message || isWithoutNode(error)) return;
      this.#job.log.warn(`Failure to call pgq_node.set_consumer_error(): ${reason}`);
    }
  }

  async sleepAfterFailure(ms: number): Promise<void> {
    await sleepUntilAsked(this.#job, ms, async () => {
      const { state } = await openNode(this.#job, this.#application, this.#options);
      return this.#isAcknowledged && !state.isUptodate;
    });
  }

  async shutdown(): Promise<void> {
    await this.#application.shutdown?.();
  }

  async #round(): Promise<"busy" | "idle"> {
    const round = await this.#beginRound();
    if (round.state.isPaused) return "idle";
    await this.#application.beginRound?.(round);
    if (!round.role.readsBatches) return this.#standby(round);

    const source = await openSource(this.#job, this.#application, round.state);
    this.#statistics.roundStarts(this.#job.config.getFloat("keepalive_stats"), Date.now());
    const batch = await this.#choice.open(round, source);
    if (batch === undefined) return this.#idle(round, source);
    return this.#processBatch(round, source, batch);
  }

  /** Reads where this consumer stands and acknowledges what administrators have changed. */
  async #beginRound(): Promise<CascadeRound> {
    const { queueName, consumerName, isNodeWorker } = this.#options;
    const { target, state } = await openNode(this.#job, this.#application, this.#options);
    this.#isAcknowledged = state.isUptodate;
    const node = await target.autocommitted(() => getNodeInfo(target, queueName));
    if (node === undefined) throw notANode(queueName, target.label);
    if (isNodeWorker) await this.#checkNode(target, node);
    this.#storesTickTimes ??= await target.autocommitted(() => storesTickTimes(target));
    if (!state.isUptodate) {
      await setConsumerUptodate(target, this.#quiet(), queueName, consumerName, true);
      this.#isAcknowledged = true;
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
      storesTickTimes: this.#storesTickTimes,
      isAfterFailure: this.#isAfterFailure,
      wasIdle: this.#wasIdle,
    };
  }

  async #checkNode(target: Database, node: NodeInfo): Promise<void> {
    checkWorkerName(node, this.#options.consumerName);
    const looksPlain = node.nodeType === "leaf" && node.combinedQueue === null;
    if (looksPlain && !this.#isPlainLeaf) await checkCombinedQueue(target, node);
    this.#isPlainLeaf = looksPlain;
  }

  /** A root reads nothing: it keeps the watermark going and lets the application do its part. The flags of the node are
   * looked at every loop_delay, the rest is done every tenth time. */
  async #standby(round: CascadeRound): Promise<"idle"> {
    const { config, log, statistics } = this.#job;
    this.#choice.forgetTicks();
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

  async #idle(round: CascadeRound, source: Database): Promise<"busy" | "idle"> {
    this.#wasIdle = true;
    this.#choice.startOver();
    return (await this.#application.idle?.(round, source)) ?? "idle";
  }

  async #processBatch(round: CascadeRound, source: Database, batch: BatchInfo): Promise<"busy" | "idle"> {
    switch (batchPosition(batch, round)) {
      case "applied":
        await checkAppliedBatch(round, batch);
        return this.#finishApplied(round, source, batch);
      case "ahead":
        return this.#idle(round, source);
      case "covered":
        await checkCoveredBatch(round, source);
        return this.#applyBatch(
          this.#cascadedBatch({ ...round, role: followingOnly(round.role) }, source, batch),
          true,
        );
      case "due":
        return this.#applyBatch(this.#cascadedBatch(round, source, batch), false);
    }
  }

  /** The process died between the commit of the target and that of the source, or somebody moved the provider back. */
  async #finishApplied(round: CascadeRound, source: Database, batch: BatchInfo): Promise<"busy"> {
    if (round.role.mirrorsTicks) await ensureMirroredTick(round.target, round.queueName, batch);
    await this.#finish(source, batch);
    this.#statistics.batchEnds(0, Date.now());
    return "busy";
  }

  async #applyBatch(work: CascadedBatch, isCovered: boolean): Promise<"busy" | "idle"> {
    const { source, target, queueName, role, batch } = work;
    if ((await this.#application.beforeBatch?.(work)) === "leave") {
      await source.rollback();
      await target.rollback();
      this.#wasIdle = false;
      return "idle";
    }
    const former = role.mirrorsTicks ? await completeFormerTick(work, batch) : undefined;
    crashPoint("worker.before-apply");
    const outcome = await applyInOneTransaction(work, this.#application, isCovered);
    if (outcome === undefined) return "busy";
    crashPoint("worker.after-target-commit");
    if (former !== undefined) {
      await makeMirroredTick(target, queueName, batch, former, outcome.maxEventId);
      crashPoint("worker.after-tick");
    }
    await this.#report.after(work);
    await this.#finish(source, batch);
    this.#wasIdle = false;
    this.#choice.batchDone();
    this.#statistics.batchEnds(outcome.eventCount, Date.now());
    await this.#application.afterBatch?.(work, outcome);
    return "busy";
  }

  #cascadedBatch(round: CascadeRound, source: Database, batch: BatchInfo): CascadedBatch {
    return cascadedBatch(round, source, batch, (tickId) => this.#report.noteUpstreamWatermark(tickId));
  }

  async #finish(source: Database, batch: BatchInfo): Promise<void> {
    if (!(await source.autocommitted(() => finishBatch(source, batch.batchId)))) {
      this.#job.log.warn(`batch ${batch.batchId} was closed by somebody else on ${source.label}`);
    }
    crashPoint("worker.after-source-finish");
  }

  #quiet() {
    return { log: this.#job.log, quiet: true };
  }
}

/** The role for a batch whose data is on this node already. */
function followingOnly(role: WorkerRole): WorkerRole {
  return { ...role, appliesData: false, copyTo: null };
}
