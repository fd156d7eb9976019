import type { CascadeAdmin } from "../cascade-admin.ts";
import type { NodeInfo } from "../node-info.ts";
import { createLocalNode, type NodeCreation } from "./node-creation.ts";

/** Makes the local database a leaf: it applies events and keeps no queue. Safe to run again.
 * @throws UsageError, SkytoolsError CASCADE_NODE, CASCADE_LOCATION, CASCADE_TOPOLOGY */
export async function createLeaf(
  admin: CascadeAdmin,
  options: Omit<NodeCreation, "type"> = {},
): Promise<{ node: NodeInfo; isNew: boolean } | undefined> {
  return createLocalNode(admin, { ...options, type: "leaf" });
}
