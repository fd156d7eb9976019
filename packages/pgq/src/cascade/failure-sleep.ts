import type { Job } from "@skytools/skytools";

/** how often the row of the consumer is looked at */
const lookMs = 1000;

/** Sleeps after a failure, until the time is over or an administrator wants something: a worker whose provider is dead is to answer
 * soon when it is paused or sent to another one.
 * @param isAsked looks at the consumer's row; while it fails, nobody can ask */
export async function sleepUntilAsked(job: Job, ms: number, isAsked: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + ms;
  for (;;) {
    const leftMs = end - performance.now();
    if (leftMs <= lookMs) return job.sleep(Math.max(leftMs, 0));
    const begin = performance.now();
    await job.sleep(lookMs);
    const isInterrupted = performance.now() - begin < lookMs - 1;
    if (isInterrupted || (await isAsked().catch(() => false))) return;
  }
}
