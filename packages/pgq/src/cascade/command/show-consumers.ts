import { UsageError } from "@skytools/skytools";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { membersOf, openLocal, openLocation, requireLocalNode } from "../node-connection.ts";
import type { CascadedConsumerInfo } from "../node-info.ts";
import { getCascadedConsumers } from "../pgq-node-api.ts";

/** The cascaded consumers of one node. */
export interface NodeConsumers {
  readonly nodeName: string;
  readonly queueName: string;
  readonly workerName: string;
  /** by name */
  readonly consumers: readonly CascadedConsumerInfo[];
}

/** Lists the cascaded consumers of the local node, or of admin.nodeName: its worker, plain consumers, table copies.
 * @throws UsageError for an unknown node
 * Source: pgq_node.get_consumer_info(text); spec/cascade.md 9.2 */
export async function showConsumers(admin: CascadeAdmin): Promise<NodeConsumers> {
  const { queueName } = admin;
  const local = await openLocal(admin);
  const here = await requireLocalNode(admin, local);
  const wanted = admin.nodeName ?? here.nodeName;
  const member = (await membersOf(local, queueName)).find(({ nodeName }) => nodeName === wanted);
  if (member === undefined) throw new UsageError(`Unknown node: ${wanted}`, { hint: "See members." });
  const db = wanted === here.nodeName ? local : await openLocation(admin, member.location);
  const node = await requireLocalNode(admin, db);
  const consumers = await getCascadedConsumers(db, queueName);
  await db.commit();
  return { nodeName: node.nodeName, queueName, workerName: node.workerName, consumers };
}
