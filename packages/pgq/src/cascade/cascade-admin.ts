import type { Database, Job } from "@skytools/skytools";
import type { ModuleName } from "@skytools/sql";
import type { PgqEvent } from "../event.ts";
import type { NodeInfo, NodeType } from "./node-info.ts";

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
  /** Before a node takes over from another: what of the application's own is not in order there, each as a reason to refuse.
   * Leaves no transaction open.
   * @param taker database of the node that takes over
   * @param old database of the node that is taken over; undefined when it is dead */
  checkTakeover?(
    admin: CascadeAdmin,
    taker: Database,
    old: Database | undefined,
  ): Promise<readonly TakeoverProblem[]>;
  /** A counter of what `resurrect` sets aside, for its statistics. */
  lostEventCounter?(): LostEventCounter;
  /** Why lost events of a dead root must not be put into the queue again; undefined where they may. */
  readonly mergeRefusal?: string;
  /** Extra lines of a node in `status`, before the lag line, for example "Tables: 12/0/3"; the same as fields for --json. */
  nodeStatus?(database: Database, queueName: string): Promise<NodeStatusLines>;
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
