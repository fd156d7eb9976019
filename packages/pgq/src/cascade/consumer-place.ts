import { UsageError } from "@skytools/skytools";
import type { CascadeAdmin } from "./cascade-admin.ts";
import type { ConsumerPlace } from "./consumer-wait.ts";
import { membersOf, nodeOf, openLocal, openLocation, requireLocalNode } from "./node-connection.ts";
import { getCascadedConsumers } from "./pgq-node-api.ts";

/** Finds the consumer that a command is about: the local node's worker, or what --node and --consumer name. With a consumer
 * only, the local node is searched first and then every living member.
 * @throws UsageError when there is no such node or consumer */
export async function findConsumer(admin: CascadeAdmin): Promise<ConsumerPlace> {
  const { queueName } = admin;
  const local = await openLocal(admin);
  const here = await requireLocalNode(admin, local);
  const members = await membersOf(local, queueName);
  const candidates = [
    { nodeName: here.nodeName, open: async () => local },
    ...members
      .filter((member) => member.nodeName !== here.nodeName && !member.isDead)
      .map((member) => ({
        nodeName: member.nodeName,
        open: () => openLocation(admin, member.location),
      })),
  ];
  const searched =
    admin.nodeName === undefined
      ? candidates.slice(0, admin.consumerName === undefined ? 1 : undefined)
      : candidates.filter((candidate) => candidate.nodeName === admin.nodeName);
  if (searched.length === 0) throw new UsageError(`Unknown node: ${admin.nodeName}`);
  for (const { nodeName, open } of searched) {
    const db = await open();
    const consumerName = admin.consumerName ?? (await nodeOf(db, queueName))?.workerName;
    if (consumerName === undefined) continue;
    const consumers = await getCascadedConsumers(db, queueName);
    await db.commit();
    if (consumers.some((consumer) => consumer.consumerName === consumerName)) {
      return { db, queueName, nodeName, consumerName };
    }
  }
  throw new UsageError(`Consumer not found: ${admin.consumerName ?? "worker"} of queue "${queueName}"`);
}
