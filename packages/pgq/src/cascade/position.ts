import { SkytoolsError } from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";
import type { CascadeRound } from "./cascaded-application.ts";

/** What the stored position says about a batch.
 * - due: it is the next one to apply
 * - applied: it was applied, only the provider does not know yet
 * - covered: on a merge leaf, its data came through the combined queue (or was merged before); its control events may not
 *   have been seen here
 * - ahead: on a merge leaf that waits behind a combined branch, its data has not come through the combined queue yet */
export type BatchPosition = "due" | "applied" | "covered" | "ahead";

/** Compares a batch with the consumer's completed tick, which must have been read before the batch was opened, from the
 * database that the batch will be written to: that is what makes a batch count exactly once there.
 * @throws SkytoolsError CASCADE_POSITION when the two sides do not meet, as after one was restored from a backup
 * Source: spec/cascade.md 7.3 step 5, 7.5 */
export function batchPosition(
  batch: BatchInfo,
  round: Pick<CascadeRound, "state" | "role" | "queueName" | "consumerName">,
): BatchPosition {
  const { role, queueName, consumerName } = round;
  const { completedTick } = round.state;
  if (role.isMergeLeaf && batch.tickId <= completedTick) return "covered";
  if (role.waitsBehind) return "ahead";
  if (batch.previousTickId === completedTick) return "due";
  if (batch.tickId === completedTick) return "applied";
  throw new SkytoolsError(
    "CASCADE_POSITION",
    `Lost position: batch ${batch.previousTickId}..${batch.tickId}, dst has ${completedTick} (consumer "${consumerName}" on queue "${queueName}")`,
    { retry: "later", hint: batch.tickId < completedTick ? providerIsBehind : nodeIsBehind },
  );
}

export const providerIsBehind =
  "The provider does not have what this node has finished. If its database was restored from an older state, or a standby of it promoted that had not received everything: let a branch take over with --dead-root --dead=PROVIDER, then run resurrect on the provider. If only its registration of this node is old: --rewind moves it to what this node has finished, and loses nothing.";

const nodeIsBehind =
  "If this database was restored from an older state, or its registration on the provider was moved: start once with --rewind, it moves the provider back to the position of this node. --reset takes over the provider's position and loses the events in between.";
