import { getConsumerInfo } from "@skytools/pgq";
import { getConsumerState, getQueueLocations, isRefusal } from "@skytools/pgq/cascade";
import { type Database, mergeConnectString } from "@skytools/skytools";
import { copyAnew, lockRegistrations } from "../replay/copy-anew.ts";
import { moveTable } from "../replay/move-table.ts";
import { mergePartners } from "../table/merge-partners.ts";
import type { CopyPlace } from "./copy-source.ts";

/** Whether the queue still holds for a copy what its table lacks: somebody may have removed its consumer, restored the provider from
 * a backup, or let another node take over because the provider is dead. */
export async function hasPlace(
  { job, queueName, consumerName }: CopyPlace,
  target: Database,
): Promise<boolean> {
  const state = await getConsumerState(target, queueName, consumerName);
  const members = await getQueueLocations(target, queueName);
  await target.commit();
  if (isRefusal(state)) return false;
  if (members.some(({ nodeName, isDead }) => isDead && nodeName === state.providerNode)) return false;
  const connstr = mergeConnectString(state.providerLocation, job.config.getOr("remote_extra_connstr", ""));
  const source = await job.databases.get("copy_place", { connstr });
  const [place] = await getConsumerInfo(source, queueName, consumerName);
  await source.commit();
  await job.databases.close("copy_place");
  return place?.lastTick === state.completedTick || place?.nextTick === state.completedTick;
}

/** Gives a table back whose copy has lost its place: the worker has it copied again. Which rows of the local table are its own nobody
 * can tell, so whoever else fills it begins anew too. */
export async function giveBack(
  { job: { log }, queueName, consumerName }: CopyPlace,
  target: Database,
  table: { readonly name: string; readonly destination: string },
): Promise<void> {
  const { name } = table;
  log.warn(
    `${name}: the place of consumer "${consumerName}" in the provider's queue is lost, the table is copied again`,
  );
  const partners = await mergePartners(target, queueName, table);
  await lockRegistrations(target, [{ queueName, name }, ...partners]);
  const { isMoved } = await moveTable(target, log, { queueName, table: name, event: "place-lost" });
  if (isMoved) await copyAnew(target, log, partners);
  await target.commit();
}
