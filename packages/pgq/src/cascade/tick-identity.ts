import type { Database } from "@skytools/skytools";
import { SkytoolsError } from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";
import type { CascadeRound } from "./cascaded-application.ts";
import {
  getCompletedTick,
  otherTimeOfCompleted,
  setConsumerCompleted,
  setConsumerCompletedAt,
  type TimedTick,
} from "./pgq-node-api.ts";
import { providerIsBehind } from "./position.ts";

/* A provider that was restored from an older state gives tick ids a second time, to batches that nobody below it has seen. Ids alone
 * would make such a batch look like one that is finished, or like the next one; the time of the tick tells them apart. */

/** The event seq that `pgq_node.create_node` gives to the tick with which a branch begins: its time is that of the creation. */
const seqOfFirstTick = 1n;

/** Whose ticks are compared. */
export type TickPlace = Pick<
  CascadeRound,
  "target" | "queueName" | "consumerName" | "state" | "storesTickTimes"
>;

/** Moves the position to the end of a batch, inside the target's open transaction. */
export async function completeBatch(
  { target, queueName, consumerName, storesTickTimes, job }: TickPlace & Pick<CascadeRound, "job">,
  batch: BatchInfo,
): Promise<void> {
  const call = { log: job.log, quiet: true, commit: false };
  if (storesTickTimes) await setConsumerCompletedAt(target, call, queueName, consumerName, batch);
  else await setConsumerCompleted(target, call, queueName, consumerName, batch.tickId);
}

/** Refuses a batch that ends with the id of the completed tick and is another one. Leaves no transaction open.
 * @throws SkytoolsError CASCADE_POSITION */
export async function checkAppliedBatch(place: TickPlace, batch: BatchInfo): Promise<void> {
  await place.target.autocommitted(() => checkTick(place, batch));
}

/** Refuses a batch that begins with the id of the completed tick and not with that tick. What is applied has to be checked behind the
 * lock on the position, inside the target's open transaction.
 * @throws SkytoolsError CASCADE_POSITION */
export async function checkDueBatch(place: TickPlace, batch: BatchInfo): Promise<void> {
  if (batch.previousTickEventSeq === seqOfFirstTick) return;
  await checkTick(place, { tickId: batch.previousTickId, tickTime: batch.previousTickTime });
}

/** Refuses a batch before the completed tick of a merge leaf when its provider does not have that tick as this node knows it. A
 * branch may still have to get it; a root has it or has lost it.
 * @throws SkytoolsError CASCADE_POSITION */
export async function checkCoveredBatch(place: TickPlace, source: Database): Promise<void> {
  if (!place.storesTickTimes) return;
  const { queueName, consumerName, target, state } = place;
  const { completedTick } = state;
  const provider = await source.queryOne<{ time: string | null; isLost: boolean }>(
    `select (select t.tick_time from pgq.tick t where t.tick_queue = q.queue_id and t.tick_id = $2::int8) as time,
            n.node_type = 'root' and $2::int8 > (select max(t.tick_id) from pgq.tick t where t.tick_queue = q.queue_id) as "isLost"
       from pgq.queue q join pgq_node.node_info n using (queue_name)
      where q.queue_name = $1`,
    [queueName, completedTick],
  );
  if (provider.time !== null) {
    const tick = { tickId: completedTick, tickTime: provider.time };
    return target.autocommitted(() => checkTick(place, tick));
  }
  if (!provider.isLost) return;
  const known = await target.autocommitted(() => getCompletedTick(target, queueName, consumerName));
  throw lostPosition(
    `root on ${source.label} has no tick ${completedTick}, which this node has finished${known?.tickTime ? ` (it was of ${known.tickTime})` : ""}`,
    queueName,
  );
}

/** Whether a provider has the tick that a consumer of this node has completed, for one who reads there what another consumer has got
 * elsewhere. To be called behind the lock on the position, inside the target's open transaction.
 * @param tickId the completed one
 * @returns true also when the local schema keeps no times
 * @throws SkytoolsError CASCADE_POSITION when the provider has another tick of that id */
export async function hasCompletedTick(
  place: Omit<TickPlace, "state">,
  source: Database,
  tickId: bigint,
): Promise<boolean> {
  if (!place.storesTickTimes) return true;
  const tick = await source.queryMaybe<TimedTick & { eventSeq: bigint | null }>(
    `select t.tick_id as "tickId", t.tick_time as "tickTime", t.tick_event_seq as "eventSeq"
       from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue
      where q.queue_name = $1 and t.tick_id = $2::int8`,
    [place.queueName, tickId],
  );
  if (tick === undefined) return false;
  if (tick.eventSeq !== seqOfFirstTick) await checkTick(place, tick);
  return true;
}

async function checkTick(
  { target, queueName, consumerName, storesTickTimes }: Omit<TickPlace, "state">,
  tick: TimedTick,
): Promise<void> {
  if (!storesTickTimes) return;
  const known = await otherTimeOfCompleted(target, queueName, consumerName, tick);
  if (known !== undefined) throw otherTick(queueName, tick, known);
}

/** The provider's tick has the id of a tick that this node has finished, and is another one.
 * @param finishedTime of the tick that this node knows */
export function otherTick(
  queueName: string,
  { tickId, tickTime }: TimedTick,
  finishedTime: string,
): SkytoolsError {
  return lostPosition(
    `tick ${tickId} of the provider is of ${tickTime}, the one that this node has finished is of ${finishedTime}`,
    queueName,
  );
}

function lostPosition(what: string, queueName: string): SkytoolsError {
  return new SkytoolsError("CASCADE_POSITION", `Lost position: ${what} (queue "${queueName}")`, {
    retry: "later",
    hint: providerIsBehind,
  });
}
