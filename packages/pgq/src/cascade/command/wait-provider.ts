import { SkytoolsError } from "@skytools/skytools";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { nodeOf, openLocal, openLocation, requireLocalNode } from "../node-connection.ts";
import { waitForTickOf } from "../tick-wait.ts";

/** Waits until the local node has everything that its provider has now.
 * @param timeoutSeconds 0: no limit
 * @returns the tick that was reached; undefined on the root
 * @throws UsageError, SkytoolsError CASCADE_TOPOLOGY, CASCADE_TIMEOUT */
export async function waitProvider(admin: CascadeAdmin, timeoutSeconds: number): Promise<bigint | undefined> {
  const { log } = admin.job;
  const local = await openLocal(admin);
  const node = await requireLocalNode(admin, local);
  if (node.nodeType === "root") {
    log.info("Current node is root, no need to wait");
    return undefined;
  }
  log.info(`Provider is ${node.providerNode}`);
  log.info(`Fetching last tick for ${node.providerNode}`);
  const db = await openLocation(admin, node.providerLocation);
  const provider = await nodeOf(db, admin.queueName);
  if (provider === undefined) {
    throw new SkytoolsError(
      "CASCADE_TOPOLOGY",
      `provider "${node.providerNode}" has no node of queue "${admin.queueName}" in ${db.label}`,
    );
  }
  return waitForTickOf(admin, local, provider, timeoutSeconds);
}
