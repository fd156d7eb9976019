import type { CascadeAdmin } from "../cascade-admin.ts";
import { findConsumer } from "../consumer-place.ts";
import { waitForConsumer } from "../consumer-wait.ts";
import { setConsumerPaused } from "../pgq-node-api.ts";

/** What has been paused or resumed. */
export interface PauseResult {
  readonly nodeName: string;
  readonly consumerName: string;
  readonly isPaused: boolean;
  /** false with --dry-run */
  readonly isDone: boolean;
}

/** Tells a consumer to stop taking batches, and waits until its process has acknowledged that.
 * @param timeoutSeconds 0: no limit
 * @throws UsageError, SkytoolsError CASCADE_TIMEOUT */
export async function pauseConsumer(admin: CascadeAdmin, timeoutSeconds: number): Promise<PauseResult> {
  return setPaused(admin, true, timeoutSeconds);
}

/** The common part of pause and resume. */
export async function setPaused(
  admin: CascadeAdmin,
  isPaused: boolean,
  timeoutSeconds: number,
): Promise<PauseResult> {
  const { job, queueName } = admin;
  const place = await findConsumer(admin);
  const { nodeName, consumerName } = place;
  if (job.isDryRun) {
    if (!job.json)
      job.stdout.write(`${isPaused ? "pause" : "resume"} consumer '${consumerName}' on node '${nodeName}'\n`);
    return { nodeName, consumerName, isPaused, isDone: false };
  }
  await setConsumerPaused(place.db, { log: job.log, prefix: nodeName }, queueName, consumerName, isPaused);
  job.log.info("Waiting for worker to accept");
  await waitForConsumer(job, place, isPaused, timeoutSeconds);
  job.log.info(`Consumer '${consumerName}' on node '${nodeName}' ${isPaused ? "paused" : "resumed"}`);
  return { nodeName, consumerName, isPaused, isDone: true };
}
