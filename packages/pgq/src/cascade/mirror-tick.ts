import type { Database } from "@skytools/skytools";
import { SkytoolsError, Snapshot } from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";
import type { TickInfo } from "../pgq-api.ts";
import { highestEventId, mirrorTick, newestTick } from "../pgq-api.ts";
import { checkDueBatch, otherTick, type TickPlace } from "./tick-identity.ts";
import { tickBeforeBatch, tickOfAppliedBatch } from "./tick-recovery.ts";

/** Makes the tick that ends a batch in a branch's own queue. Call it after the batch's events are committed: the tick is a
 * transaction of its own, whose snapshot must see them.
 * @param former the local tick that the batch starts with
 * @param maxEventId highest event id of the batch; looked up in the queue when not known
 * Source: spec/cascade.md 7.3 step 8 */
export async function makeMirroredTick(
  target: Database,
  queueName: string,
  batch: BatchInfo,
  former: TickInfo,
  maxEventId: bigint | undefined,
): Promise<void> {
  await target.autocommitted(async () => {
    const eventSeq = await tickEventSeq(target, queueName, batch, former, maxEventId);
    await mirrorTick(target, queueName, batch.tickId, batch.tickTime, eventSeq);
  });
}

/** Makes the tick of a batch that was applied before, unless it is there: the worker may have died between the two.
 * @throws SkytoolsError CASCADE_POSITION when the local queue is at neither end of the batch, or the batch is another one that
 * ends with a tick of the same id
 * Source: spec/cascade.md 7.3 step 5, 8 "known weak spot" */
export async function ensureMirroredTick(
  target: Database,
  queueName: string,
  batch: BatchInfo,
): Promise<void> {
  const newest = await target.autocommitted(() => newestTick(target, queueName));
  const tick = tickOfAppliedBatch(newest?.tickId, batch);
  if (newest === undefined || tick === "misplaced") throw misplaced(queueName, newest, batch);
  if (tick === "there") return refuseOtherTick(target, queueName, newest, batch);
  await makeMirroredTick(target, queueName, batch, newest, undefined);
}

/** Makes the tick with which a batch starts when the local queue does not have it: the worker died before it made that tick, and
 * reads from another provider since. Call it before anything of the batch is written.
 * @returns that tick
 * @throws SkytoolsError CASCADE_POSITION when the local queue is beyond the batch, or the tick is not the one that this node has
 * finished */
export async function completeFormerTick(place: TickPlace, batch: BatchInfo): Promise<TickInfo> {
  const { target, queueName } = place;
  const newest = await target.autocommitted(() => newestTick(target, queueName));
  const tick = tickBeforeBatch(newest?.tickId, batch);
  if (newest === undefined || tick === "misplaced") throw misplaced(queueName, newest, batch);
  if (tick === "there") return newest;
  await target.autocommitted(() => checkDueBatch(place, batch));
  const former = {
    ...batch,
    tickId: batch.previousTickId,
    tickTime: batch.previousTickTime,
    tickEventSeq: batch.previousTickEventSeq,
    previousTickId: newest.tickId,
  };
  await makeMirroredTick(target, queueName, former, newest, undefined);
  return completeFormerTick(place, batch);
}

/** The branch's own tick tells it too, whatever its schema stores with the position. */
async function refuseOtherTick(
  target: Database,
  queueName: string,
  { tickTime }: TickInfo,
  batch: BatchInfo,
): Promise<void> {
  const isSame = await target.autocommitted(() =>
    target.queryValue<boolean>("select $1::timestamptz = $2::timestamptz", [tickTime, batch.tickTime]),
  );
  if (isSame === true) return;
  throw otherTick(queueName, batch, tickTime);
}

function misplaced(queueName: string, newest: TickInfo | undefined, batch: BatchInfo): SkytoolsError {
  return new SkytoolsError(
    "CASCADE_POSITION",
    `is_batch_done: last branch tick = ${newest?.tickId ?? "none"}, expected ${batch.previousTickId} or ${batch.tickId} (queue "${queueName}")`,
    { retry: "later", ...(newest === undefined ? { hint: queueIsGone } : {}) },
  );
}

const queueIsGone =
  "The branch's own queue was dropped: call pgq_node.drop_node(QUEUE, NODE) here, run drop-node for it on another node, and create it again.";

/** The event seq of the tick: never below an id in the batch, never below the tick before, else what the provider has. The
 * provider's alone may be lower than ids of the batch: it is read before the tick's snapshot is taken, and after a promotion it
 * is what the next ids come after. */
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
