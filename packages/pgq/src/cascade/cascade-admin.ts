import type { Database, Job, Log } from "@skytools/skytools";
import type { ModuleName } from "@skytools/sql";
import type { PgqEvent } from "../event.ts";
import type { NodeInfo, NodeType, ReachedNode } from "./node-info.ts";
import type { WriteText } from "./plan/whole-file.ts";

/** What a program tells the cascade commands about itself. */
export interface CascadeAdmin {
  readonly job: Job;
  readonly queueName: string;
  /** config key of the local database, for example "db" */
  readonly databaseKey: string;
  /** consumer name of the node's worker, stored at creation: the name under which the worker process runs */
  readonly workerName: string;
  /** SQL modules that a node of this program needs, installed by create-* when absent */
  readonly modules: readonly ModuleName[];
  /** node named by --node where the program has that switch; the local node otherwise */
  readonly nodeName?: string | undefined;
  /** consumer named by --consumer where the program has that switch; the node's worker otherwise */
  readonly consumerName?: string | undefined;
  readonly hooks?: CascadeHooks | undefined;
}

/** A node in the making, as the creation hook sees it. */
export interface CreatedNode {
  readonly type: NodeType;
  readonly node: NodeInfo;
  readonly local: Database;
  /** the provider's database; undefined on a root */
  readonly provider: Database | undefined;
}

/** Where an application adds to the generic commands. */
export interface CascadeHooks {
  /** Before create-* changes anything: refuse by throwing. */
  checkCreate?(admin: CascadeAdmin, type: NodeType, local: Database): Promise<void>;
  /** Within the local transaction that creates the node: must not commit or roll back `local`. */
  nodeCreated?(admin: CascadeAdmin, created: CreatedNode): Promise<void>;
  /** Asked before a node takes over from another: what is wrong with the application's own objects on these nodes, each as a reason
   * to refuse. Leaves no transaction open.
   * @param taker database of the node that takes over
   * @param old database of the node that is taken over; undefined when it is dead */
  checkTakeover?(
    admin: CascadeAdmin,
    taker: Database,
    old: Database | undefined,
  ): Promise<readonly TakeoverProblem[]>;
  /** What the application does on a new root before anybody writes to it. */
  readonly newRoot?: NewRoot;
  /** Where the application itself stores names of nodes, so that `rename-node` can rewrite them. */
  readonly nodeNames?: NodeNames;
  /** How data that only a leaf has survives the death of the root; without it such a leaf cannot follow the new root. */
  readonly leafAhead?: LeafAhead;
  /** Counts the events that `resurrect` sets aside, for its statistics. */
  lostEventCounter?(): LostEventCounter;
  /** Why lost events of a dead root must not be put into the queue again; undefined where they may. */
  readonly mergeRefusal?: string;
  /** Extra lines of a node in `status`, before the lag line, for example "Tables: 12/0/3"; the same as fields for --json. */
  nodeStatus?(database: Database, queueName: string): Promise<NodeStatusLines>;
}

/** Prepares a node that becomes the root. */
export interface NewRoot {
  /** what it does, for a person */
  readonly action: string;
  /** Called when the old root refuses writes and the new one has everything that will come from it. It may be called twice, and for
   * a takeover that is given up afterwards; neither may do harm. Leaves no transaction open.
   * @param old database of the old root; undefined when it is dead */
  prepare(admin: CascadeAdmin, taker: Database, old: Database | undefined): Promise<void>;
}

/** Names of nodes that an application has stored on a member. Both work within the caller's transaction. */
export interface NodeNames {
  /** True while something there calls a node by that name. */
  areUsed(database: Database, queueName: string, nodeName: string): Promise<boolean>;
  /** Puts another name in their place. */
  replace(database: Database, queueName: string, names: Renaming, log: Log): Promise<void>;
}

/** What to do with a leaf that has applied ticks which no living queue has. Neither it nor the new root changes meanwhile. */
export interface LeafAhead {
  /** Writes down what the leaf has and the new root lacks.
   * @returns names of what differs, or cannot be compared; empty when the ticks were without events */
  setAside(
    admin: CascadeAdmin,
    leaf: ReachedNode,
    newRoot: ReachedNode,
    write: WriteText,
  ): Promise<ReadonlySet<string>>;
  /** Makes the leaf fetch what differs from its provider again, within the transaction that takes its position back. */
  startAnew(leaf: Database, queueName: string, names: ReadonlySet<string>, log: Log): Promise<void>;
}

/** An old and a new name of one node. */
export interface Renaming {
  readonly oldName: string;
  readonly newName: string;
}

/** Looks at lost events one by one. */
export interface LostEventCounter {
  add(event: PgqEvent): void;
  /** lines of the statistics: key and value */
  statistics(): ReadonlyMap<string, string>;
}

/** Why a node must not take over, and what to do about it. */
export interface TakeoverProblem {
  readonly text: string;
  readonly hint?: string | undefined;
}

export interface NodeStatusLines {
  readonly lines: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
}
