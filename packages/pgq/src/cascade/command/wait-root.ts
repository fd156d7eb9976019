import { type Database, DatabaseError } from "@skytools/skytools";
import { forceTick } from "../../pgq-api.ts";
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
  await hurryTicker(root.db, admin.queueName);
  return waitForTickOf(admin, local, root.node, timeoutSeconds);
}

/** Lets the ticker of the root come round soon, where this role may: an idle queue would get its next tick after ticker_idle_period,
 * a minute. */
async function hurryTicker(root: Database, queueName: string): Promise<void> {
  try {
    await forceTick(root, queueName);
    await root.commit();
  } catch (error) {
    await root.rollback();
    if (!(error instanceof DatabaseError && error.sqlState === "42501")) throw error;
  }
}
