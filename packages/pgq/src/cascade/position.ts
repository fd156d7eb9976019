import { SkytoolsError } from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";

/** What the stored position says about a batch. */
export type BatchPosition = "due" | "applied";

/** Compares a batch with the consumer's completed tick, which must have been read before the batch was opened, from the
 * database that the batch will be written to: that is what makes a batch count exactly once there.
 * @throws SkytoolsError CASCADE_POSITION when the two sides do not meet, as after one was restored from a backup
 * Source: spec/cascade.md 7.3 step 5 */
export function batchPosition(
  batch: BatchInfo,
  completedTick: bigint,
  queueName: string,
  consumerName: string,
): BatchPosition {
  if (batch.previousTickId === completedTick) return "due";
  if (batch.tickId === completedTick) return "applied";
  throw new SkytoolsError(
    "CASCADE_POSITION",
    `Lost position: batch ${batch.previousTickId}..${batch.tickId}, dst has ${completedTick} (consumer "${consumerName}" on queue "${queueName}")`,
    {
      retry: "later",
      hint: "If the provider was restored or re-registered, start once with --rewind: it moves the provider back to the position of this node. --reset takes over the provider's position and loses the events in between.",
    },
  );
}
