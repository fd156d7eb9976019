import type { CascadeAdmin } from "../cascade-admin.ts";
import type { NodeCall } from "../pgq-node-api.ts";
import type { Patience } from "./patience.ts";
import type { LiveMember } from "./set-state.ts";

/** What every step needs. */
export interface PlanContext {
  readonly admin: CascadeAdmin;
  readonly patience: Patience;
}

/** A cascaded consumer on a node: its worker, or a plain one. */
export interface ConsumerAt {
  readonly member: LiveMember;
  readonly consumerName: string;
}

export function workerOf(member: LiveMember): ConsumerAt {
  return { member, consumerName: member.node.workerName };
}

export function isWorker({ member, consumerName }: ConsumerAt): boolean {
  return member.node.workerName === consumerName;
}

/** How a step's calls to a node are logged: its notes are for -v, the step itself is the news. */
export function quietOn({ admin }: PlanContext, nodeName: string): NodeCall {
  return { log: admin.job.log, prefix: nodeName, quiet: true };
}

/** For calls within a transaction of the step. */
export function insideOn(context: PlanContext, nodeName: string): NodeCall {
  return { ...quietOn(context, nodeName), commit: false };
}
