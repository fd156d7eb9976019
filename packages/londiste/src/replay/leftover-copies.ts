import { getConsumerInfo, unregisterConsumer } from "@skytools/pgq";
import { getCascadedConsumers, getQueueLocations, unregisterCascadedConsumer } from "@skytools/pgq/cascade";
import type { Database, Job } from "@skytools/skytools";
import { mergeConnectString, SkytoolsError } from "@skytools/skytools";
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
 * back the rotation of the queue forever.
 * @returns false when a node that a table was copied from with --copy-node could not be asked: what is known of the consumer there
 * stays, for the next call */
export async function removeLeftoverCopies(search: LeftoverSearch): Promise<boolean> {
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
  let areAllGone = true;
  for (const { consumerName, providerNode } of here.filter((item) => isLeftover(item.consumerName))) {
    const isGone =
      providerNode === search.providerNode || (await removeFromCopyNode(search, providerNode, isLeftover));
    if (isGone)
      await unregisterCascadedConsumer(target, { log: job.log, quiet: true }, queueName, consumerName);
    else areAllGone = false;
  }
  return areAllGone;
}

/** Replay waits meanwhile; connect_timeout of the location overrides it. */
const connectTimeout = "connect_timeout=5";

/** A node that a table was copied from with --copy-node.
 * @returns false when it cannot be asked now */
async function removeFromCopyNode(
  { job, target, queueName }: LeftoverSearch,
  nodeName: string,
  isLeftover: (name: string) => boolean,
): Promise<boolean> {
  const member = (await getQueueLocations(target, queueName)).find((entry) => entry.nodeName === nodeName);
  await target.commit();
  if (member === undefined || member.isDead) return true;
  const remote = mergeConnectString(member.location, job.config.getOr("remote_extra_connstr", ""));
  const key = `leftover.${nodeName}`;
  try {
    const db = await job.databases.get(key, { connstr: mergeConnectString(connectTimeout, remote) });
    await removeFrom(job, db, queueName, isLeftover);
    return true;
  } catch (error) {
    if (!(error instanceof SkytoolsError)) throw error;
    job.log.warn(
      `the consumer of an ended copy stays on node "${nodeName}" until it can be asked: ${error.message}`,
    );
    return false;
  } finally {
    await job.databases.close(key);
  }
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
