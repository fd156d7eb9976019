import type { Database, Job } from "@skytools/skytools";
import type { BatchCollection, BatchInfo } from "../batch.ts";
import { batchCollection } from "../consumer/configured.ts";
import { nextBatch } from "../pgq-api.ts";
import type { CascadeRound } from "./cascaded-application.ts";
import type { CascadedWorkerOptions } from "./cascaded-worker.ts";

/** A worker with so many ticks behind each other has fallen behind: one that keeps up finds the end of the queue after each. */
const batchesOfOneTick = 2;

/** Decides how many ticks the next batch of a cascaded worker holds. */
export class BatchChoice {
  readonly #job: Job;
  readonly #options: CascadedWorkerOptions;
  #isCollectionRefused = false;
  /** since the end of the queue was seen, or something failed */
  #batchesInARow = 0;

  constructor(job: Job, options: CascadedWorkerOptions) {
    this.#job = job;
    this.#options = options;
  }

  /** A batch was applied. */
  batchDone(): void {
    this.#batchesInARow += 1;
  }

  /** There was no batch, or it failed: what comes next is taken tick by tick. */
  startOver(): void {
    this.#batchesInARow = 0;
  }

  /** Opens the next batch. A worker that is behind spares itself what each tick costs: it takes many at once where there are
   * enough events for that, and the next tick where there are not, since nobody is to wait for more. */
  async open(round: CascadeRound, source: Database): Promise<BatchInfo | undefined> {
    const { queueName, consumerName } = this.#options;
    const usual = this.#collection(round);
    const minInterval = await this.#options.span?.(round, source);
    const choices = [
      ...(minInterval === undefined ? [] : [{ ...usual, minInterval }]),
      ...this.#catchUpCounts(round, usual).map((minCount) => ({ ...usual, minCount })),
      usual,
    ];
    for (const choice of choices) {
      const batch = await source.autocommitted(() => nextBatch(source, queueName, consumerName, choice));
      if (batch !== undefined) return batch;
    }
    return undefined;
  }

  #catchUpCounts({ role }: CascadeRound, usual: BatchCollection): readonly number[] {
    const most = this.#job.config.getInt("catch_up_events");
    if (most === 0 || !role.isNodeWorker || this.#mustTakeEachTick(role)) return [];
    if (usual.minCount !== undefined || usual.minInterval !== undefined) return [];
    return this.#batchesInARow < batchesOfOneTick ? [] : [most, Math.ceil(most / 8)];
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
