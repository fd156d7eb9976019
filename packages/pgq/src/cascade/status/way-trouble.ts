import type { CascadeAdmin } from "../cascade-admin.ts";
import { openLocal, openLocation } from "../node-connection.ts";
import { type NodeReport, readNodeReport } from "./node-report.ts";
import { stuckReason } from "./stuck-reason.ts";

/** What keeps events from coming down to the local node: from that node up to the root, a sentence each.
 * @returns nothing where nothing is seen */
export async function troubleOnTheWay(admin: CascadeAdmin): Promise<readonly string[]> {
  const reports = new Map<string, NodeReport>();
  const found: string[] = [];
  let report = await readNodeReport(admin, await openLocal(admin));
  while (!reports.has(report.node.nodeName)) {
    const { nodeName, nodeType, providerNode, providerLocation } = report.node;
    reports.set(nodeName, report);
    if (nodeType === "root") break;
    try {
      report = await readNodeReport(admin, await openLocation(admin, providerLocation));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      found.push(`provider "${providerNode}" of "${nodeName}" cannot be asked: ${reason}`);
      break;
    }
  }
  const reasons = [...reports.values()].flatMap((each) => {
    const reason = workerTrouble(each) ?? stuckReason(each, reports);
    return reason === null ? [] : `${each.node.nodeName}: ${reason}`;
  });
  return [...reasons, ...found];
}

/** On a root nobody waits for the worker. */
function workerTrouble({ node, session }: NodeReport): string | undefined {
  if (node.nodeType === "root") return undefined;
  if (node.isWorkerPaused) return `worker "${node.workerName}" is paused; resume lets it go on`;
  if (session.isWorkerThere) return undefined;
  return `worker "${node.workerName}" is not connected to the node's database: is job "${node.workerName}" running?`;
}
