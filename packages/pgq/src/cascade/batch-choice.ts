import type { Database, Job } from "@skytools/skytools";
import type { BatchCollection, BatchInfo } from "../batch.ts";
import { batchCollection } from "../consumer/configured.ts";
import { nextBatch, registerConsumerAt, spanToNewestTick } from "../pgq-api.ts";
import { TickBeat } from "../tick-beat.ts";
import type { CascadeRound } from "./cascaded-application.ts";
import type { CascadedWorkerOptions } from "./cascaded-worker-options.ts";

/** A worker with so many ticks behind each other has fallen behind: one that keeps up finds the end of the queue after each. */
const batchesOfOneTick = 2;

/** A batch of several ticks that fails so often is no victim of circumstances. */
const failuresOfOneBatch = 2;

/** Decides how many ticks the next batch of a cascaded worker holds, and when to look for it. */
export class BatchChoice {
  readonly #job: Job;
  readonly #options: CascadedWorkerOptions;
  readonly #beat = new TickBeat();
  #isCollectionRefused = false;
  /** since the end of the queue was seen, or something failed */
  #batchesInARow = 0;
  /** of several ticks, and not applied yet */
  #large: { readonly batch: BatchInfo; readonly failures: number } | undefined;
  #isLargeTried = false;
  /** each tick is taken by itself until there */
  #singlyUntil = 0n;

  constructor(job: Job, options: CascadedWorkerOptions) {
    this.#job = job;
    this.#options = options;
  }

  /** A batch was applied. */
  batchDone(): void {
    this.#batchesInARow += 1;
    this.#large = undefined;
  }

  /** There was no batch: what comes next is taken tick by tick. */
  startOver(): void {
    this.#batchesInARow = 0;
  }

  /** A round has failed, whatever it was that it did. */
  roundFailed(): void {
    this.startOver();
    if (this.#large === undefined || !this.#isLargeTried) return;
    this.#isLargeTried = false;
    this.#large = { ...this.#large, failures: this.#large.failures + 1 };
  }

  /** Nothing is read for now. */
  forgetTicks(): void {
    this.#beat.forget();
  }

  /** How long to pause when there was no batch. */
  pauseMs(usualMs: number): number {
    return this.#beat.pauseMs(usualMs, performance.now());
  }

  /** Opens the next batch. A worker that is behind spares itself what each tick costs: it takes all that there is at once, up to a number
   * of events, and does not wait for more. */
  async open(round: CascadeRound, source: Database): Promise<BatchInfo | undefined> {
    const lookedAt = performance.now();
    const batch = await this.#open(round, source);
    if (batch === undefined) this.#beat.foundNothing(lookedAt);
    else this.#beat.foundBatch(batch, lookedAt);
    return batch;
  }

  async #open(round: CascadeRound, source: Database): Promise<BatchInfo | undefined> {
    const { queueName, consumerName } = this.#options;
    const usual = this.#collection(round);
    await this.#giveUpLarge(round, source, usual);
    for (const choice of [...(await this.#largerChoice(round, source, usual)), usual]) {
      const batch = await source.autocommitted(() => nextBatch(source, queueName, consumerName, choice));
      if (batch === undefined) continue;
      this.#noteLarge(batch);
      return batch;
    }
    return undefined;
  }

  #noteLarge(batch: BatchInfo): void {
    this.#isLargeTried = batch.tickId - batch.previousTickId > 1n;
    if (!this.#isLargeTried) this.#large = undefined;
    else if (this.#large?.batch.batchId !== batch.batchId) this.#large = { batch, failures: 0 };
  }

  /** Where one event cannot be applied, what comes before its tick can. */
  async #giveUpLarge(round: CascadeRound, source: Database, usual: BatchCollection): Promise<void> {
    const large = this.#large;
    if (large === undefined || large.failures < failuresOfOneBatch || !this.#mayMerge(round, usual)) return;
    const { batch, failures } = large;
    const { completedTick } = round.state;
    this.#large = undefined;
    if (completedTick !== batch.previousTickId) return;
    const { queueName, consumerName } = this.#options;
    this.#job.log.info(
      `batch ${batch.batchId} has failed ${failures} times: its ticks ${completedTick} to ${batch.tickId} are taken one by one`,
    );
    await source.autocommitted(() => registerConsumerAt(source, queueName, consumerName, completedTick));
    this.#singlyUntil = batch.tickId;
  }

  async #largerChoice(
    round: CascadeRound,
    source: Database,
    usual: BatchCollection,
  ): Promise<BatchCollection[]> {
    const { span } = this.#options;
    if (span !== undefined) {
      const minInterval = await span(round, source);
      return minInterval === undefined ? [] : [{ ...usual, minInterval }];
    }
    if (!this.#catchesUp(round, usual)) return [];
    const { queueName } = this.#options;
    const { completedTick } = round.state;
    // The server ends a batch at the newest tick where that is enough, or not far beyond it, and else at the first tick that is enough.
    const minInterval = await source.autocommitted(() => spanToNewestTick(source, queueName, completedTick));
    const minCount = this.#job.config.getInt("catch_up_events");
    return minInterval === undefined ? [] : [{ ...usual, minCount, minInterval }];
  }

  #catchesUp(round: CascadeRound, usual: BatchCollection): boolean {
    if (this.#batchesInARow < batchesOfOneTick || this.#job.config.getInt("catch_up_events") === 0)
      return false;
    return round.state.completedTick >= this.#singlyUntil && this.#mayMerge(round, usual);
  }

  #mayMerge({ role }: CascadeRound, usual: BatchCollection): boolean {
    if (!role.isNodeWorker || this.#mustTakeEachTick(role)) return false;
    return usual.minCount === undefined && usual.minInterval === undefined;
  }

  #collection({ role, node }: CascadeRound): BatchCollection {
    const wanted = batchCollection(this.#job.config);
    if (!this.#mustTakeEachTick(role)) return wanted;
    const isMore = wanted.minCount !== undefined || wanted.minInterval !== undefined;
    if (isMore && (role.mirrorsTicks || role.isMergeLeaf) && !this.#isCollectionRefused) {
      this.#isCollectionRefused = true;
      this.#job.log.warn(
        `pgq_batch_collect_* is ignored on the ${role.isMergeLeaf ? "merge leaf" : "branch node"} "${node.nodeName}"`,
      );
    }
    return { minLag: wanted.minLag };
  }

  /** A branch must repeat every tick of its provider, and a merge leaf must be able to follow another's ticks: batches of
   * several ticks are not for them. */
  #mustTakeEachTick(role: CascadeRound["role"]): boolean {
    return role.mirrorsTicks || role.isMergeLeaf || this.#options.takesEachTick?.() === true;
  }
}
