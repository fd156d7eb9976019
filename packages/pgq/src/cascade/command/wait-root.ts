import type { CascadeAdmin } from "../cascade-admin.ts";
import { findRoot, openLocal, requireLocalNode } from "../node-connection.ts";
import { waitForTickOf } from "../tick-wait.ts";

/** Waits until the local node has everything that the root has now.
 * @param timeoutSeconds 0: no limit
 * @returns the tick that was reached; undefined on the root itself
 * @throws UsageError, SkytoolsError CASCADE_TOPOLOGY, CASCADE_TIMEOUT */
export async function waitRoot(admin: CascadeAdmin, timeoutSeconds: number): Promise<bigint | undefined> {
  const { log } = admin.job;
  const local = await openLocal(admin);
  const node = await requireLocalNode(admin, local);
  if (node.nodeType === "root") {
    log.info("Current node is root, no need to wait");
    return undefined;
  }
  log.info("Finding root node");
  const root = await findRoot(admin, node.providerLocation);
  log.info(`Root is ${root.node.nodeName}`);
  log.info(`Fetching last tick for ${root.node.nodeName}`);
  return waitForTickOf(admin, local, root.node, timeoutSeconds);
}
