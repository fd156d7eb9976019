import { SkytoolsError } from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";

/** What a tick that is tracked outside of the queue says about a batch: nothing tracked yet, or the batch begins there, and
 * it is due; the batch ends there, and it was applied already.
 * @throws SkytoolsError LOST_POSITION when the two do not meet, as after one side was restored from a backup
 * Source: spec/pgq-library.md A7 */
export function tickPosition(
  { tickId, previousTickId }: BatchInfo,
  trackedTick: bigint | undefined,
  hint: string,
): "due" | "applied" {
  if (trackedTick === undefined || trackedTick === previousTickId) return "due";
  if (trackedTick === tickId) return "applied";
  throw new SkytoolsError(
    "LOST_POSITION",
    `Lost position: batch ${previousTickId}..${tickId}, dst has ${trackedTick}`,
    { retry: "later", hint },
  );
}
