import { crashPoint, SkytoolsError } from "@skytools/skytools";
import { insertEvent } from "../pgq-api.ts";
import type { BatchOutcome, CascadedApplication, CascadedBatch } from "./cascaded-application.ts";
import { known } from "./node-session.ts";
import { lockConsumerState } from "./pgq-node-api.ts";
import { type MirroredBatch, mergeEvents, mirrorEvents } from "./queue-copy.ts";
import { checkDueBatch, completeBatch } from "./tick-identity.ts";

/** What was applied, with the count of events settled. */
export interface AppliedBatch extends BatchOutcome {
  readonly eventCount: number;
}

/** Applies a batch as one target transaction: the events, the copy of a branch or a combined queue, the position. A batch of a
 * merge leaf that is covered already brings control events only and moves nothing.
 * @returns undefined when an administrator has paused this consumer meanwhile, or sent it to another provider: what was read is then
 * no news of that one, as after the failover of a root that still lives
 * @throws SkytoolsError CASCADE_POSITION when the position moved since it was read: another process runs under this name; when the
 * batch follows another tick than the completed one
 * Source: spec/cascade.md 7.3 steps 6 and 7, 8 */
export async function applyInOneTransaction(
  work: CascadedBatch,
  application: CascadedApplication,
  isCovered: boolean,
): Promise<AppliedBatch | undefined> {
  const { target, source, queueName, consumerName, batch } = work;
  const [locked] = await Promise.all([lockConsumerState(target, queueName, consumerName), work.eventQuery()]);
  const behindLock = known(locked, target);
  if (behindLock.isPaused || behindLock.providerNode !== work.state.providerNode) {
    await target.rollback();
    await source.rollback();
    return undefined;
  }
  const isWhereExpected = isCovered
    ? behindLock.completedTick >= batch.tickId
    : behindLock.completedTick === batch.previousTickId;
  if (!isWhereExpected) throw positionMoved(work, behindLock.completedTick);
  if (!isCovered) await checkDueBatch(work, batch);

  const outcome = await applyAndCopy(work, application);
  await Promise.all([source.commit(), isCovered || completeBatch(work, batch)]);
  crashPoint("worker.before-target-commit");
  await target.commit();
  return outcome;
}

async function applyAndCopy(work: CascadedBatch, application: CascadedApplication): Promise<AppliedBatch> {
  const { copyTo } = work.role;
  switch (copyTo?.kind) {
    case undefined:
      return settled(await application.applyBatch(work));
    case "merge": {
      const outcome = settled(await application.applyBatch(work));
      await copyIntoCombined(work, copyTo.queueName, outcome.queueFilter, application.mergeFilter);
      return outcome;
    }
    case "mirror":
      if (application.readsCascadeEventsOnly === true) return copyThenRead(work, application);
      return readThenCopy(work, application);
  }
}

/** The copy itself tells whether there is something to read. */
async function copyThenRead(work: CascadedBatch, application: CascadedApplication): Promise<AppliedBatch> {
  const { eventCount, maxEventId, hasCascadeEvents } = await copyIntoBranch(work, undefined);
  const outcome = hasCascadeEvents ? await application.applyBatch(work) : {};
  return { ...outcome, eventCount: Number(eventCount), maxEventId };
}

async function readThenCopy(work: CascadedBatch, application: CascadedApplication): Promise<AppliedBatch> {
  const outcome = await application.applyBatch(work);
  const copied = await copyIntoBranch(work, outcome.queueFilter);
  const isWhole = outcome.queueFilter === undefined;
  return {
    ...outcome,
    eventCount: outcome.eventCount ?? Number(copied.eventCount),
    maxEventId: isWhole ? copied.maxEventId : outcome.maxEventId,
  };
}

function settled(outcome: BatchOutcome): AppliedBatch {
  return { ...outcome, eventCount: outcome.eventCount ?? 0 };
}

async function copyIntoBranch(work: CascadedBatch, queueFilter: string | undefined): Promise<MirroredBatch> {
  const { source, target, queueName, role, node } = work;
  const query = await work.eventQuery(queueFilter);
  const watermark = role.syncWatermark === null ? null : node.globalWatermark;
  const copied = await mirrorEvents(source, query, target, queueName, watermark);
  crashPoint("worker.after-queue-copy");
  return copied;
}

async function copyIntoCombined(
  work: CascadedBatch,
  combinedQueue: string,
  queueFilter: string | undefined,
  mergeFilter: string | undefined,
): Promise<void> {
  const { source, target, queueName, batch } = work;
  await mergeEvents(source, await work.eventQuery(queueFilter), target, combinedQueue, mergeFilter);
  crashPoint("worker.after-merge");
  await insertEvent(target, combinedQueue, {
    type: "pgq.tick-id",
    data: String(batch.tickId),
    extra1: queueName,
  });
  crashPoint("worker.after-tick-id");
}

function positionMoved(work: CascadedBatch, position: bigint): SkytoolsError {
  const { consumerName, queueName, batch, target } = work;
  return new SkytoolsError(
    "CASCADE_POSITION",
    `position of consumer "${consumerName}" on queue "${queueName}" moved to ${position} while batch ${batch.previousTickId}..${batch.tickId} was opened on ${target.label}`,
    { retry: "later", hint: "Another process probably runs under the same consumer name; stop one." },
  );
}
