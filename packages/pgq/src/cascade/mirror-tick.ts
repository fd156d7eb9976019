import type { Database } from "@skytools/skytools";
import { SkytoolsError, Snapshot } from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";
import type { TickInfo } from "../pgq-api.ts";
import { highestEventId, mirrorTick, newestTick } from "../pgq-api.ts";

/** Makes the tick that ends a batch in a branch's own queue, once. Call it after the batch's events are committed, with no
 * transaction open: the tick's snapshot must see them. A branch whose worker died between that commit and the tick is
 * completed by the next call for the same batch.
 * @param maxEventId highest event id of the batch; looked up in the queue when not known
 * @throws SkytoolsError CASCADE_POSITION when the local queue is at neither end of the batch
 * Source: spec/cascade.md 7.3 steps 5 and 8, 8 "known weak spot" */
export async function ensureMirroredTick(
  target: Database,
  queueName: string,
  batch: BatchInfo,
  maxEventId?: bigint,
): Promise<void> {
  const newest = await newestTick(target, queueName);
  if (newest?.tickId === batch.tickId) {
    await target.commit();
    return;
  }
  if (newest?.tickId !== batch.previousTickId) {
    throw new SkytoolsError(
      "CASCADE_POSITION",
      `is_batch_done: last branch tick = ${newest?.tickId ?? "none"}, expected ${batch.previousTickId} or ${batch.tickId} (queue "${queueName}")`,
      { retry: "later" },
    );
  }
  const eventSeq = await tickEventSeq(target, queueName, batch, newest, maxEventId);
  await target.commit();
  await mirrorTick(target, queueName, batch.tickId, batch.tickTime, eventSeq);
  await target.commit();
}

/** The event seq of the tick: never below an id in the batch, never below the tick before, else what the provider has. */
async function tickEventSeq(
  target: Database,
  queueName: string,
  batch: BatchInfo,
  newest: TickInfo,
  maxEventId: bigint | undefined,
): Promise<bigint> {
  const highest =
    maxEventId ?? (await highestEventId(target, queueName, Snapshot.parse(newest.snapshot).xmin));
  const candidates = [batch.tickEventSeq, newest.eventSeq, highest];
  return candidates.reduce<bigint>((seq, value) => (value != null && value > seq ? value : seq), 0n);
}
