import { setConsumerPaused } from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { type ConsumerAt, type PlanContext, quietOn } from "../plan-context.ts";
import { stateOf } from "./consumer-position.ts";

/** Lets a consumer go on that an interrupted command has left paused. */
export function resume(context: PlanContext, at: ConsumerAt): PlanStep {
  const { member, consumerName } = at;
  const { db, nodeName } = member;
  return {
    name: "resume",
    node: nodeName,
    action: `let "${consumerName}" go on`,
    doneWhen: "not paused",
    undoneBy: null,
    isDone: async () => !(await stateOf(context, at)).isPaused,
    run: () =>
      setConsumerPaused(db, quietOn(context, nodeName), context.admin.queueName, consumerName, false),
  };
}
