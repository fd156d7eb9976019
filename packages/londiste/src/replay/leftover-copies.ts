import { getConsumerInfo, unregisterConsumer } from "@skytools/pgq";
import { getCascadedConsumers, getQueueLocations, unregisterCascadedConsumer } from "@skytools/pgq/cascade";
import type { Database, Job } from "@skytools/skytools";
import { mergeConnectString } from "@skytools/skytools";
import type { ReplicatedTable } from "../londiste-api.ts";
import { copyConsumerPrefix } from "../names.ts";
import { needsCopyProcess } from "./table-state.ts";

export interface LeftoverSearch {
  readonly job: Job;
  /** the worker's provider */
  readonly source: Database;
  readonly providerNode: string;
  readonly target: Database;
  readonly queueName: string;
  readonly workerName: string;
  readonly tables: readonly ReplicatedTable[];
  /** tables whose copy process is alive */
  readonly running: ReadonlySet<string>;
}

/** Removes the consumers of copy processes that have ended without doing so: where a copy read from, such a consumer would hold
 * back the rotation of the queue forever. */
export async function removeLeftoverCopies(search: LeftoverSearch): Promise<void> {
  const { job, source, target, queueName, workerName } = search;
  const prefix = copyConsumerPrefix(workerName);
  const needed = new Set(
    search.tables
      .filter((table) => table.isLocal && needsCopyProcess(table.state))
      .map((table) => prefix + table.name),
  );
  for (const name of search.running) needed.add(prefix + name);
  const isLeftover = (name: string) => name.startsWith(prefix) && !needed.has(name);

  const here = await getCascadedConsumers(target, queueName);
  await target.commit();
  await removeFrom(job, source, queueName, isLeftover);
  for (const { consumerName, providerNode } of here.filter((item) => isLeftover(item.consumerName))) {
    if (providerNode !== search.providerNode) await removeFromCopyNode(search, providerNode, isLeftover);
    await unregisterCascadedConsumer(target, { log: job.log, quiet: true }, queueName, consumerName);
  }
}

/** A node that a table was copied from with --copy-node. One that cannot be reached is tried again with the next round. */
async function removeFromCopyNode(
  { job, target, queueName }: LeftoverSearch,
  nodeName: string,
  isLeftover: (name: string) => boolean,
): Promise<void> {
  const member = (await getQueueLocations(target, queueName)).find((entry) => entry.nodeName === nodeName);
  await target.commit();
  if (member === undefined) return;
  const connstr = mergeConnectString(member.location, job.config.getOr("remote_extra_connstr", ""));
  const key = `leftover.${nodeName}`;
  const db = await job.databases.get(key, { connstr });
  await removeFrom(job, db, queueName, isLeftover);
  await job.databases.close(key);
}

async function removeFrom(
  job: Job,
  db: Database,
  queueName: string,
  isLeftover: (name: string) => boolean,
): Promise<void> {
  const there = (await getConsumerInfo(db, queueName)).map((consumer) => consumer.consumerName);
  await db.commit();
  for (const name of there.filter(isLeftover)) {
    job.log.info(`removing consumer "${name}" of an ended copy from ${db.label}`);
    await unregisterConsumer(db, queueName, name);
    await db.commit();
  }
}
