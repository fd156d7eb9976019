import type { PlanContext } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";

/** Everything that the steps of a resurrection need to know, found out before the first of them. */
export interface Resurrection {
  readonly context: PlanContext;
  /** the node that comes back */
  readonly self: LiveMember;
  /** the node that remembers it, and becomes its provider */
  readonly provider: LiveMember;
  /** the last tick that both have: what this node has beyond it is set aside */
  readonly sharedTick: bigint;
  /** where the other node took over; later than `sharedTick` when this database was restored from an older state */
  readonly takeoverTick: bigint;
  /** path of the file for lost events */
  readonly dumpFile: string;
  /** put the lost events into the queue of the new root, under new ids */
  readonly isMerging: boolean;
  readonly statistics: Map<string, unknown>;
}
