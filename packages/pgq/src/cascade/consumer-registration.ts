import {
  crashPoint,
  type Database,
  type Job,
  mergeConnectString,
  SkytoolsError,
  UsageError,
} from "@skytools/skytools";
import { getConsumerInfo, registerConsumer, registerConsumerAt, unregisterConsumer } from "../pgq-api.ts";
import { nodeOf } from "./node-connection.ts";
import type { ConsumerState, NodeInfo } from "./node-info.ts";
import { type ConsumerName, notANode } from "./node-session.ts";
import {
  getConsumerState,
  getQueueLocations,
  isRefusal,
  registerCascadedConsumer,
  unregisterCascadedConsumer,
} from "./pgq-node-api.ts";

/** Registers a plain cascaded consumer: on the queue of its provider first, then in the local database, where its position is
 * kept from then on. A run that was interrupted is completed by the next, and a consumer that is known keeps its position: the
 * provider's bookmark may be behind it.
 * @param providerLocation connect string of the node to read from
 * @throws UsageError without a location; SkytoolsError CASCADE_NODE when a database has no node, or the consumer reads from
 *   another provider
 * Source: spec/cascade.md 7.7, 13 item 9 */
export async function registerOnProvider(
  job: Job,
  options: ConsumerName,
  providerLocation: string | undefined,
): Promise<void> {
  if (providerLocation === undefined) {
    throw new UsageError("Please give provider location with --provider=", {
      hint: "It is the connect string of the node to read from.",
    });
  }
  const { queueName, consumerName } = options;
  const target = await job.databases.get(options.targetKey);
  await requireNode(target, queueName);
  const provider = await openProvider(job, providerLocation);
  const node = await requireNode(provider, queueName);
  const known = await stateOf(target, options);
  if (known === undefined) {
    await registerNew(job, options, target, provider, node);
    return;
  }
  if (known.providerNode !== node.nodeName) {
    throw new SkytoolsError(
      "CASCADE_NODE",
      `consumer "${consumerName}" on queue "${queueName}" reads from node "${known.providerNode}", not from "${node.nodeName}"`,
      { hint: "change-provider moves it; its position stays." },
    );
  }
  const [bookmark] = await getConsumerInfo(provider, queueName, consumerName);
  if (bookmark === undefined)
    await registerConsumerAt(provider, queueName, consumerName, known.completedTick);
  await provider.commit();
  job.log.info(
    `Consumer ${consumerName} is already registered on queue ${queueName}, at tick ${known.completedTick}`,
  );
}

/** Removes a plain cascaded consumer: from its provider's queue, which it would keep from being emptied, then from the local
 * database.
 * @throws UsageError for the node's own worker */
export async function unregisterFromProvider(job: Job, options: ConsumerName): Promise<void> {
  const { queueName, consumerName } = options;
  const target = await job.databases.get(options.targetKey);
  const node = await requireNode(target, queueName);
  if (node.workerName === consumerName) {
    throw new UsageError(`"${consumerName}" is the worker of node "${node.nodeName}"`, {
      hint: "drop-node removes a node with its worker.",
    });
  }
  const known = await stateOf(target, options);
  if (known === undefined) {
    job.log.info(`Consumer ${consumerName} is not registered on queue ${queueName}`);
    return;
  }
  const provider = await openProvider(job, known.providerLocation);
  await unregisterConsumer(provider, queueName, consumerName);
  await provider.commit();
  crashPoint("unregister.after-provider");
  await unregisterCascadedConsumer(target, { log: job.log }, queueName, consumerName);
}

async function registerNew(
  job: Job,
  { queueName, consumerName }: ConsumerName,
  target: Database,
  provider: Database,
  node: NodeInfo,
): Promise<void> {
  const members = await getQueueLocations(target, queueName);
  await target.commit();
  if (!members.some(({ nodeName }) => nodeName === node.nodeName)) {
    throw new SkytoolsError(
      "CASCADE_NODE",
      `node "${node.nodeName}" is not known on ${target.label}: both must belong to one set`,
      { hint: "See the command members." },
    );
  }
  await registerConsumer(provider, queueName, consumerName);
  const [bookmark] = await getConsumerInfo(provider, queueName, consumerName);
  await provider.commit();
  crashPoint("register.after-provider");
  const tickId = bookmark!.lastTick!;
  await registerCascadedConsumer(target, { log: job.log }, queueName, consumerName, node.nodeName, tickId);
}

async function requireNode(db: Database, queueName: string): Promise<NodeInfo> {
  const node = await nodeOf(db, queueName);
  if (node === undefined) throw notANode(queueName, db.label);
  return node;
}

async function stateOf(
  target: Database,
  { queueName, consumerName }: ConsumerName,
): Promise<ConsumerState | undefined> {
  const state = await getConsumerState(target, queueName, consumerName);
  await target.commit();
  return isRefusal(state) ? undefined : state;
}

async function openProvider(job: Job, location: string): Promise<Database> {
  const connstr = mergeConnectString(location, job.config.getOr("remote_extra_connstr", ""));
  return job.databases.get("_provider_db", { connstr });
}
