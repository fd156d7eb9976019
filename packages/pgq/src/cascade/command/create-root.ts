import type { CascadeAdmin } from "../cascade-admin.ts";
import type { NodeInfo } from "../node-info.ts";
import { createLocalNode, type NodeCreation } from "./node-creation.ts";

/** Makes the local database the root of a new cascaded queue. Safe to run again.
 * @throws UsageError, SkytoolsError CASCADE_NODE, CASCADE_LOCATION */
export async function createRoot(
  admin: CascadeAdmin,
  options: Omit<NodeCreation, "type" | "provider"> = {},
): Promise<{ node: NodeInfo; isNew: boolean } | undefined> {
  return createLocalNode(admin, { ...options, type: "root" });
}
