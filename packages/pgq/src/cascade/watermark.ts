import type { Database, Log } from "@skytools/skytools";
import { SkytoolsError } from "@skytools/skytools";
import type { BatchInfo } from "../batch.ts";
import type { CascadeRound } from "./cascaded-application.ts";
import {
  getNodeInfo,
  getSubscriberInfo,
  setGlobalWatermark,
  setSubscriberWatermark,
} from "./pgq-node-api.ts";

/** Decides when something periodic is due; the first time it is due at once. */
export class Period {
  #nextMs = 0;

  /** @returns true when due, and counts the period from now: a failure is not repeated at once */
  take(periodSeconds: number, nowMs: number): boolean {
    if (nowMs < this.#nextMs) return false;
    this.#nextMs = nowMs + periodSeconds * 1000;
    return true;
  }
}

/** Tells the provider the lowest tick that this node and everything below it still need, never beyond the batch; a branch
 * with sync_watermark tells its own progress. The target must have no transaction open; on the source nothing may be pending,
 * since this commits it. A node that has begun to read here since may need older events than were reported: they are in this
 * node's queue, the provider need not keep them, and is not asked to. A refusal of the provider (subscriber unknown) is logged, not
 * raised: the next report may fit again.
 * Source: spec/cascade.md 7.4 */
export async function reportLocalWatermark(
  source: Database,
  { target, queueName, role }: Pick<CascadeRound, "target" | "queueName" | "role">,
  batch: BatchInfo,
  log: Log,
): Promise<void> {
  const node = await getNodeInfo(target, queueName);
  await target.commit();
  if (node === undefined || node.localWatermark === null) return;
  const watermark =
    role.syncWatermark === null ? lowerTick(node.localWatermark, batch.tickId) : batch.previousTickId;
  const subscribers = await source.autocommitted(() => getSubscriberInfo(source, queueName));
  const reported = subscribers.find(({ nodeName }) => nodeName === node.nodeName)?.watermark ?? null;
  if (reported !== null && watermark <= reported) return;
  try {
    await setSubscriberWatermark(source, { log, quiet: true }, queueName, node.nodeName, watermark);
  } catch (error) {
    if (!(error instanceof SkytoolsError) || error.code !== "RETURN_CODE") throw error;
    log.warn(`watermark ${watermark} of node "${node.nodeName}" was refused by its provider`);
  }
}

/** On a root: publishes what the whole set has finished, as an event, so that event tables may rotate. */
export async function publishGlobalWatermark(target: Database, queueName: string, log: Log): Promise<void> {
  await setGlobalWatermark(target, { log, quiet: true }, queueName, null);
}

export function lowerTick(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
