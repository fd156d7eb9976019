import { type Database, GrowingPause, SkytoolsError } from "@skytools/skytools";
import type { CascadeAdmin } from "./cascade-admin.ts";
import { nodeOf } from "./node-connection.ts";
import type { NodeInfo } from "./node-info.ts";

/** Waits until the local worker has passed the position that another node has now.
 * @param timeoutSeconds 0: no limit
 * @returns the tick that was reached, or undefined when there is nothing to wait for
 * @throws SkytoolsError CASCADE_TIMEOUT
 * Source: spec/cascade.md 9.10 */
export async function waitForTickOf(
  admin: CascadeAdmin,
  local: Database,
  ahead: NodeInfo,
  timeoutSeconds: number,
): Promise<bigint> {
  const { job, queueName } = admin;
  const wanted = ahead.workerLastTick;
  job.log.info(`Waiting for tick > ${wanted}`);
  const deadline = performance.now() + timeoutSeconds * 1000;
  const pause = new GrowingPause(job);
  for (;;) {
    const node = await nodeOf(local, queueName);
    const reached = node?.workerLastTick ?? 0n;
    if (reached > wanted) {
      job.log.info(`Got tick ${reached}, exiting`);
      return reached;
    }
    if (job.isStopping || (timeoutSeconds > 0 && performance.now() > deadline)) {
      throw new SkytoolsError(
        "CASCADE_TIMEOUT",
        `the local node has reached tick ${reached}, not yet one after ${wanted}`,
        {
          hint: "Are its worker and the ticker of the root running?",
        },
      );
    }
    await pause.take();
  }
}
