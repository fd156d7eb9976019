import type { Database } from "@skytools/skytools";

/** What a node is in its queue. */
export type NodeType = "root" | "branch" | "leaf";

/** The local node of one queue.
 * `localWatermark` is the lowest tick that this node or anything below it still needs; on a root `workerLastTick` is the
 * queue's newest tick. `combinedQueue` and `combinedType` are set on a merge leaf.
 * Source: pgq_node.get_node_info(text); spec/cascade.md 4 */
export interface NodeInfo {
  readonly queueName: string;
  readonly nodeType: NodeType;
  readonly nodeName: string;
  readonly globalWatermark: bigint | null;
  readonly localWatermark: bigint | null;
  readonly providerNode: string;
  readonly providerLocation: string;
  readonly combinedQueue: string | null;
  readonly combinedType: NodeType | null;
  readonly workerName: string;
  readonly isWorkerPaused: boolean;
  readonly isWorkerUptodate: boolean;
  readonly workerLastTick: bigint;
  /** node attributes, decoded from their urlencoded form */
  readonly attributes: ReadonlyMap<string, string | null>;
  /** queues that name this one as their combined queue */
  readonly targetFor: readonly string[];
}

/** Position and flags of one cascaded consumer, stored in the database that it writes to.
 * Source: pgq_node.get_consumer_state(text, text) */
export interface ConsumerState {
  readonly nodeType: NodeType;
  readonly nodeName: string;
  readonly completedTick: bigint;
  readonly providerNode: string;
  readonly providerLocation: string;
  readonly isPaused: boolean;
  readonly isUptodate: boolean;
  readonly currentError: string | null;
}

/** A known member of the set. */
export interface NodeLocation {
  readonly nodeName: string;
  readonly location: string;
  readonly isDead: boolean;
}

/** A subscriber of a node, as its provider knows it. */
export interface SubscriberInfo {
  readonly nodeName: string;
  readonly workerName: string;
  readonly watermark: bigint | null;
}

/** A cascaded consumer of a node, as listed for status displays. */
export interface CascadedConsumerInfo {
  readonly consumerName: string;
  readonly providerNode: string;
  readonly lastTick: bigint;
  readonly isPaused: boolean;
  readonly isUptodate: boolean;
  readonly currentError: string | null;
}

/** A node with a connection to its database. */
export interface ReachedNode {
  readonly node: NodeInfo;
  readonly db: Database;
  readonly location: string;
}
