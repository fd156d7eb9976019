import { type Database, GrowingPause, SkytoolsError } from "@skytools/skytools";
import type { CascadeAdmin } from "./cascade-admin.ts";
import { nodeOf } from "./node-connection.ts";
import type { NodeInfo } from "./node-info.ts";
import { troubleOnTheWay } from "./status/way-trouble.ts";
import { WaitReport } from "./wait-report.ts";

/** Waits until the local worker has passed the position that another node has now, and says why when it does not get on.
 * @param timeoutSeconds 0: no limit
 * @returns the tick that was reached
 * @throws SkytoolsError CASCADE_TIMEOUT; CASCADE_CANCELED when the command was told to stop
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
  const report = new WaitReport(job);
  let last = -1n;
  for (;;) {
    const node = await nodeOf(local, queueName);
    const reached = node?.workerLastTick ?? 0n;
    if (reached > wanted) {
      job.log.info(`Got tick ${reached}, exiting`);
      return reached;
    }
    const message = `the local node has reached tick ${reached}, not yet one after ${wanted}`;
    if (job.isStopping) throw new SkytoolsError("CASCADE_CANCELED", message);
    if (timeoutSeconds > 0 && performance.now() > deadline) {
      throw new SkytoolsError("CASCADE_TIMEOUT", message, { hint: await whyItStands(admin) });
    }
    if (reached !== last) report.startOver();
    else if (report.take()) job.log.warn(message, { hint: await whyItStands(admin) });
    last = reached;
    await pause.take();
  }
}

async function whyItStands(admin: CascadeAdmin): Promise<string> {
  const found = await troubleOnTheWay(admin);
  return found.length > 0 ? found.join("; ") : "Are its worker and the ticker of the root running?";
}
