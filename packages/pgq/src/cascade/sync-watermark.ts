import { type Databases, type Log, mergeConnectString } from "@skytools/skytools";
import type { CascadeRound } from "./cascaded-application.ts";
import { getNodeInfo, getQueueLocations, setGlobalWatermark } from "./pgq-node-api.ts";
import { lowerTick } from "./watermark.ts";

const connectionKey = "wmdb";

/** Keeps the event tables of a group of branches in step, so that each can serve the others after a takeover: stores as this
 * branch's global watermark the lowest tick that any of them still needs, and never more than upstream has published. A node
 * that does not answer leaves everything as it is: nothing may rotate away from it.
 * @param upstreamWatermark last global watermark that came through the queue
 * Source: spec/cascade.md 7.4 */
export async function synchronizeWatermark(
  round: CascadeRound,
  nodeNames: readonly string[],
  upstreamWatermark: bigint,
): Promise<void> {
  const { target, queueName, node, job } = round;
  const own = await getNodeInfo(target, queueName);
  const members = await getQueueLocations(target, queueName);
  await target.commit();
  let lowest = lowerTick(upstreamWatermark, own?.localWatermark ?? upstreamWatermark);
  for (const name of nodeNames) {
    if (name === node.nodeName) continue;
    const member = members.find(({ nodeName }) => nodeName === name);
    if (member === undefined) {
      job.log.warn(`Unknown node in sync_watermark list: ${name}`);
      return;
    }
    if (member.isDead) continue;
    const connstr = mergeConnectString(member.location, job.config.getOr("remote_extra_connstr", ""));
    const watermark = await remoteWatermark(job.databases, connstr, queueName, job.log);
    if (watermark === undefined) {
      job.log.warn(`Node not working: ${name}`);
      return;
    }
    lowest = lowerTick(lowest, watermark);
  }
  await setGlobalWatermark(target, { log: job.log, quiet: true }, queueName, lowest);
}

async function remoteWatermark(
  databases: Databases,
  connstr: string,
  queueName: string,
  log: Log,
): Promise<bigint | undefined> {
  try {
    const db = await databases.get(connectionKey, { connstr, autocommit: true });
    return (await getNodeInfo(db, queueName))?.localWatermark ?? undefined;
  } catch (error) {
    log.debug(error instanceof Error ? error.message : String(error));
    return undefined;
  } finally {
    await databases.close(connectionKey);
  }
}
