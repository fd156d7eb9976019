import { maskConnectString } from "@skytools/skytools";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { membersOf, openLocal, requireLocalNode } from "../node-connection.ts";
import type { NodeInfo } from "../node-info.ts";

/** The local node and how it is reached; connect strings without passwords. */
export interface NodeDescription {
  readonly node: NodeInfo;
  readonly isDead: boolean;
  readonly localLocation: string;
  readonly publicLocation: string | null;
}

/** Describes the local node.
 * @throws UsageError when there is none */
export async function describeNode(admin: CascadeAdmin): Promise<NodeDescription> {
  const local = await openLocal(admin);
  const node = await requireLocalNode(admin, local);
  const members = await membersOf(local, admin.queueName);
  const self = members.find((member) => member.nodeName === node.nodeName);
  return {
    node,
    isDead: self?.isDead ?? false,
    localLocation: maskConnectString(admin.job.config.get(admin.databaseKey)),
    publicLocation: self === undefined ? null : maskConnectString(self.location),
  };
}

/** The lines that `node-info` prints. Source: spec/cascade.md 9.9 */
export function nodeInfoLines({ node, isDead, localLocation, publicLocation }: NodeDescription): string[] {
  const flags = [
    ...(isDead ? ["DEAD"] : []),
    ...(node.isWorkerPaused ? ["PAUSED"] : []),
    ...(node.isWorkerUptodate ? [] : ["NON-UP-TO-DATE"]),
  ];
  const isRoot = node.nodeType === "root";
  return [
    `Node: ${node.nodeName}  Type: ${node.nodeType}  Queue: ${node.queueName}`,
    `Status: ${flags.length === 0 ? "OK" : flags.join(", ")}`,
    `Provider: ${isRoot ? "--" : node.providerNode}`,
    "Connect strings:",
    `  Local   : ${localLocation}`,
    `  Public  : ${publicLocation ?? "--"}`,
    ...(isRoot ? [] : [`  Provider: ${maskConnectString(node.providerLocation)}`]),
    ...(node.combinedQueue === null
      ? []
      : [`Combined Queue: ${node.combinedQueue}  (node type: ${node.combinedType ?? "unknown"})`]),
  ];
}
