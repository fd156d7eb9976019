import type { CascadeAdmin } from "../cascade-admin.ts";
import type { NodeInfo } from "../node-info.ts";
import { createLocalNode, type NodeCreation } from "./node-creation.ts";

/** Makes the local database a branch: it will carry a full copy of the queue and may provide for others. Safe to run again.
 * @throws UsageError, SkytoolsError CASCADE_NODE, CASCADE_LOCATION, CASCADE_TOPOLOGY */
export async function createBranch(
  admin: CascadeAdmin,
  options: Omit<NodeCreation, "type"> = {},
): Promise<{ node: NodeInfo; isNew: boolean } | undefined> {
  return createLocalNode(admin, { ...options, type: "branch" });
}
