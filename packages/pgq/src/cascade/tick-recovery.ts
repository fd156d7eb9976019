import type { BatchInfo } from "../batch.ts";

/* What is to be done about a tick of a branch, which is made in a transaction after that of its batch: the worker may have died
 * between the two. */

/** - there: nothing to do
 * - missing: it is to be made
 * - misplaced: the queue is somewhere else, nothing must be written to it */
export type BranchTick = "there" | "missing" | "misplaced";

/** The tick that ends a batch which was applied before.
 * @param newest id of the newest tick of the branch's queue
 * Source: spec/cascade.md 7.3 step 5 */
export function tickOfAppliedBatch(
  newest: bigint | undefined,
  batch: Pick<BatchInfo, "tickId" | "previousTickId">,
): BranchTick {
  if (newest === batch.tickId) return "there";
  return newest === batch.previousTickId ? "missing" : "misplaced";
}

/** The tick with which the next batch starts. It may be missing although the batch before was of another provider: then it is made
 * from what this one says of it. */
export function tickBeforeBatch(
  newest: bigint | undefined,
  batch: Pick<BatchInfo, "previousTickId">,
): BranchTick {
  if (newest === batch.previousTickId) return "there";
  return newest !== undefined && newest < batch.previousTickId ? "missing" : "misplaced";
}
