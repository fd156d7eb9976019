import { crashPoint, SkytoolsError } from "@skytools/skytools";
import { insertEvent } from "../pgq-api.ts";
import type { BatchOutcome, CascadedApplication, CascadedBatch } from "./cascaded-application.ts";
import { known } from "./node-session.ts";
import { lockConsumerState, setConsumerCompleted } from "./pgq-node-api.ts";
import { mergeEvents, mirrorEvents } from "./queue-copy.ts";

/** What was applied, with the count of events settled. */
export interface AppliedBatch extends BatchOutcome {
  readonly eventCount: number;
}

/** Applies a batch as one target transaction: the events, the copy of a branch or a combined queue, the position. A batch of a
 * merge leaf that is covered already brings control events only and moves nothing.
 * @returns undefined when an administrator has paused this consumer meanwhile
 * @throws SkytoolsError CASCADE_POSITION when the position moved since it was read: another process runs under this name
 * Source: spec/cascade.md 7.3 steps 6 and 7, 8 */
export async function applyInOneTransaction(
  work: CascadedBatch,
  application: CascadedApplication,
  isCovered: boolean,
): Promise<AppliedBatch | undefined> {
  const { target, source, queueName, consumerName, role, batch, job } = work;
  const behindLock = known(await lockConsumerState(target, queueName, consumerName), target);
  if (behindLock.isPaused) {
    await target.rollback();
    await source.rollback();
    return undefined;
  }
  const isWhereExpected = isCovered
    ? behindLock.completedTick >= batch.tickId
    : behindLock.completedTick === batch.previousTickId;
  if (!isWhereExpected) throw positionMoved(work, behindLock.completedTick);

  const outcome = await application.applyBatch(work);
  const copiedEvents = role.copyTo === null ? 0n : await copyToQueue(work, application, outcome);
  await source.commit();
  if (!isCovered) {
    const call = { log: job.log, quiet: true, commit: false };
    await setConsumerCompleted(target, call, queueName, consumerName, batch.tickId);
  }
  crashPoint("worker.before-target-commit");
  await target.commit();
  return { ...outcome, eventCount: outcome.eventCount ?? Number(copiedEvents) };
}

/** @returns number of events in a mirrored batch */
async function copyToQueue(
  work: CascadedBatch,
  { mergeFilter }: CascadedApplication,
  { queueFilter }: BatchOutcome,
): Promise<bigint> {
  const { source, target, queueName, role, batch, node } = work;
  const { copyTo } = role;
  if (copyTo === null) return 0n;
  const query = await work.eventQuery(queueFilter);
  if (copyTo.kind === "mirror") {
    const watermark = role.syncWatermark === null ? null : node.globalWatermark;
    const rows = await mirrorEvents(source, query, target, copyTo.queueName, watermark);
    crashPoint("worker.after-queue-copy");
    return rows;
  }
  await mergeEvents(source, query, target, copyTo.queueName, mergeFilter);
  crashPoint("worker.after-queue-copy");
  await insertEvent(target, copyTo.queueName, {
    type: "pgq.tick-id",
    data: String(batch.tickId),
    extra1: queueName,
  });
  crashPoint("worker.after-tick-id");
  return 0n;
}

function positionMoved(work: CascadedBatch, position: bigint): SkytoolsError {
  const { consumerName, queueName, batch, target } = work;
  return new SkytoolsError(
    "CASCADE_POSITION",
    `position of consumer "${consumerName}" on queue "${queueName}" moved to ${position} while batch ${batch.previousTickId}..${batch.tickId} was opened on ${target.label}`,
    { retry: "later", hint: "Another process probably runs under the same consumer name; stop one." },
  );
}
