import type { MergedQueue } from "./merge-workers.ts";
import type { LiveMember, SetState } from "./set-state.ts";

/** What takeover is asked to do. */
export interface TakeoverRequest {
  readonly set: SetState;
  readonly oldName: string;
  /** the node that takes over */
  readonly taker: LiveMember;
  /** move the other nodes that read from the old one too */
  readonly isAll: boolean;
  /** leafs that are ahead of all queues when a root has died are left as they are, to be quicker */
  readonly leavesAhead: boolean;
  /** the application's objections do not count */
  readonly isForced: boolean;
  /** partition queues that feed the queue, when it is a combined one and both nodes live */
  readonly merged: readonly MergedQueue[];
}

export function takeoverTitle({ oldName, taker, isAll }: TakeoverRequest): string {
  return `takeover of ${oldName} by ${taker.nodeName}${isAll ? " with all its subscribers" : ""}`;
}
