import { SkytoolsError } from "@skytools/skytools";
import type { NodeInfo } from "./node-info.ts";

/** Where the events of a batch are copied to, beside being applied. */
export interface QueueCopy {
  readonly queueName: string;
  /** mirror: all events, with their ids, into the queue of a branch; merge: those that all parts share, with new ids, into a
   * combined queue */
  readonly kind: "mirror" | "merge";
}

/** What a cascaded consumer does on its node, derived from the node row at the start of every round so that promotion and
 * demotion take effect without a restart. Source: spec/cascade.md 7.1 */
export interface WorkerRole {
  /** the node's own worker, not just another consumer on it */
  readonly isNodeWorker: boolean;
  /** false on a root: there is nothing to read */
  readonly readsBatches: boolean;
  readonly appliesData: boolean;
  /** the queue that gets the events, or null */
  readonly copyTo: QueueCopy | null;
  /** true on a branch: each batch ends with the provider's tick, and `pgq.tick-id` moves the merge leafs of this database */
  readonly mirrorsTicks: boolean;
  /** true on a leaf that belongs to a combined queue */
  readonly isMergeLeaf: boolean;
  /** true on a merge leaf beside a combined branch: the data arrives through the combined queue, this worker only follows */
  readonly waitsBehind: boolean;
  readonly followsGlobalWatermark: boolean;
  /** nodes that keep their event tables in step with this branch, or null */
  readonly syncWatermark: readonly string[] | null;
  readonly publishesGlobalWatermark: boolean;
  readonly reportsLocalWatermark: boolean;
}

const plainConsumer: WorkerRole = {
  isNodeWorker: false,
  readsBatches: true,
  appliesData: true,
  copyTo: null,
  mirrorsTicks: false,
  isMergeLeaf: false,
  waitsBehind: false,
  followsGlobalWatermark: false,
  syncWatermark: null,
  publishesGlobalWatermark: false,
  reportsLocalWatermark: false,
};

/** The role of a consumer on a node.
 * @param isNodeWorker false for plain cascaded consumers (table copy, application programs)
 * @throws SkytoolsError CASCADE_NODE for a combination that makes no sense */
export function workerRole(node: NodeInfo, isNodeWorker: boolean): WorkerRole {
  if (!isNodeWorker) return plainConsumer;
  if (node.combinedQueue !== null && node.nodeType !== "leaf") {
    throw invalidState(node, 3, `only a leaf can feed the combined queue "${node.combinedQueue}"`);
  }
  switch (node.nodeType) {
    case "root":
      return {
        ...plainConsumer,
        isNodeWorker,
        readsBatches: false,
        appliesData: false,
        publishesGlobalWatermark: true,
      };
    case "branch":
      return branchRole(node);
    case "leaf":
      return leafRole(node);
  }
}

function branchRole(node: NodeInfo): WorkerRole {
  const syncWatermark = syncList(node);
  return {
    ...plainConsumer,
    isNodeWorker: true,
    copyTo: { queueName: node.queueName, kind: "mirror" },
    mirrorsTicks: true,
    followsGlobalWatermark: syncWatermark === null,
    syncWatermark,
    reportsLocalWatermark: true,
  };
}

function leafRole(node: NodeInfo): WorkerRole {
  const leaf: WorkerRole = { ...plainConsumer, isNodeWorker: true, reportsLocalWatermark: true };
  if (node.combinedQueue === null) return leaf;
  switch (node.combinedType) {
    case "root":
      return { ...leaf, isMergeLeaf: true, copyTo: { queueName: node.combinedQueue, kind: "merge" } };
    case "branch":
      return { ...leaf, isMergeLeaf: true, waitsBehind: true, appliesData: false };
    case "leaf":
    case null:
      throw invalidState(
        node,
        1,
        `its combined queue "${node.combinedQueue}" is a leaf, which keeps no events`,
      );
  }
}

/** The attribute sync_watermark: node names with commas between. */
function syncList(node: NodeInfo): readonly string[] | null {
  const text = node.attributes.get("sync_watermark");
  if (text == null) return null;
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function invalidState(node: NodeInfo, number: number, reason: string): SkytoolsError {
  return new SkytoolsError(
    "CASCADE_NODE",
    `invalid state ${number}: node "${node.nodeName}" of queue "${node.queueName}": ${reason}`,
    { retry: "later" },
  );
}
