import { SkytoolsError } from "@skytools/skytools";
import type { NodeInfo } from "./node-info.ts";

/** What a cascaded consumer does on its node, derived from the node row at the start of every round so that promotion and
 * demotion take effect without a restart. Source: spec/cascade.md 7.1 */
export interface WorkerRole {
  /** the node's own worker, not just another consumer on it */
  readonly isNodeWorker: boolean;
  /** false on a root: there is nothing to read */
  readonly readsBatches: boolean;
  readonly appliesData: boolean;
  /** queue into which events are copied with their ids, or null */
  readonly copyTo: string | null;
  readonly mirrorsTicks: boolean;
  readonly followsGlobalWatermark: boolean;
  readonly publishesGlobalWatermark: boolean;
  readonly reportsLocalWatermark: boolean;
}

const plainConsumer: WorkerRole = {
  isNodeWorker: false,
  readsBatches: true,
  appliesData: true,
  copyTo: null,
  mirrorsTicks: false,
  followsGlobalWatermark: false,
  publishesGlobalWatermark: false,
  reportsLocalWatermark: false,
};

/** The role of a consumer on a node.
 * @param isNodeWorker false for plain cascaded consumers (table copy, application programs)
 * @throws SkytoolsError CASCADE_NODE for a combination that this program cannot serve */
export function workerRole(node: NodeInfo, isNodeWorker: boolean): WorkerRole {
  if (!isNodeWorker) return { ...plainConsumer, readsBatches: node.nodeType !== "root" };
  if (node.combinedQueue !== null) {
    throw new SkytoolsError(
      "CASCADE_NODE",
      `node "${node.nodeName}" of queue "${node.queueName}" feeds the combined queue "${node.combinedQueue}", which this worker does not serve`,
    );
  }
  if (node.attributes.has("sync_watermark")) {
    throw new SkytoolsError(
      "CASCADE_NODE",
      `node "${node.nodeName}" of queue "${node.queueName}" has the attribute sync_watermark, which this worker does not serve`,
    );
  }
  switch (node.nodeType) {
    case "root":
      return { ...plainConsumer, isNodeWorker, readsBatches: false, publishesGlobalWatermark: true };
    case "branch":
      return {
        ...plainConsumer,
        isNodeWorker,
        copyTo: node.queueName,
        mirrorsTicks: true,
        followsGlobalWatermark: true,
        reportsLocalWatermark: true,
      };
    case "leaf":
      return { ...plainConsumer, isNodeWorker, reportsLocalWatermark: true };
  }
}
