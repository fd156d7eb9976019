import type { CascadeAdmin } from "../cascade-admin.ts";
import { type NodeStatus, type QueueStatus, readQueueStatus } from "../node-status.ts";

/** Looks at the whole set. Nodes that do not answer are rows of the result.
 * @param deadNodes nodes to treat as dead this time
 * @throws UsageError when there is no local node */
export async function showStatus(
  admin: CascadeAdmin,
  deadNodes: readonly string[] = [],
): Promise<QueueStatus> {
  for (const name of deadNodes) admin.job.log.info(`Assuming node '${name}' as dead`);
  return readQueueStatus(admin, deadNodes);
}

/** The status as plain data for --json: ids as text, since they exceed what a JSON number holds. */
export function statusAsJson(status: QueueStatus): Record<string, unknown> {
  return {
    queue: status.queueName,
    localNode: status.localNode,
    nodes: status.nodes.map(nodeAsJson),
  };
}

function nodeAsJson(node: NodeStatus): Record<string, unknown> {
  return {
    name: node.nodeName,
    type: node.type,
    location: node.location,
    provider: node.providerNode,
    lagSeconds: node.lagSeconds,
    tick: node.tickId === null ? null : String(node.tickId),
    isPaused: node.isPaused,
    isUptodate: node.isUptodate,
    attributes: Object.fromEntries(node.attributes),
    ...node.fields,
    errors: node.errors,
    failure: node.failure,
  };
}
