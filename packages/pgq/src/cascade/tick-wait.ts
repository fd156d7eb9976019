import { type Database, GrowingPause, SkytoolsError } from "@skytools/skytools";
import type { CascadeAdmin } from "./cascade-admin.ts";
import { nodeOf } from "./node-connection.ts";
import type { NodeInfo } from "./node-info.ts";
import { troubleOnTheWay } from "./status/way-trouble.ts";

/** Without progress for that long a person wants to know why. */
const patienceMs = 60_000;

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
  let last = { tick: -1n, at: performance.now() };
  for (;;) {
    const node = await nodeOf(local, queueName);
    const reached = node?.workerLastTick ?? 0n;
    if (reached > wanted) {
      job.log.info(`Got tick ${reached}, exiting`);
      return reached;
    }
    const now = performance.now();
    const message = `the local node has reached tick ${reached}, not yet one after ${wanted}`;
    if (job.isStopping) throw new SkytoolsError("CASCADE_CANCELED", message);
    if (timeoutSeconds > 0 && now > deadline) {
      throw new SkytoolsError("CASCADE_TIMEOUT", message, { hint: await whyItStands(admin) });
    }
    if (reached !== last.tick) last = { tick: reached, at: now };
    else if (now - last.at > patienceMs) {
      job.log.warn(message, { hint: await whyItStands(admin) });
      last = { tick: reached, at: now };
    }
    await pause.take();
  }
}

async function whyItStands(admin: CascadeAdmin): Promise<string> {
  const found = await troubleOnTheWay(admin);
  return found.length > 0 ? found.join("; ") : "Are its worker and the ticker of the root running?";
}
