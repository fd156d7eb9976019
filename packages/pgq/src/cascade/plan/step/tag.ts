import { getQueueLocations, registerLocation } from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { type PlanContext, quietOn } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";

/** Marks a member dead or alive on one node. On the root it is an event for everybody. */
export function tag(context: PlanContext, on: LiveMember, nodeName: string, isDead: boolean): PlanStep {
  const { queueName } = context.admin;
  const word = isDead ? "dead" : "alive";
  return {
    name: `tag-${word}`,
    node: on.nodeName,
    action: `mark "${nodeName}" as ${word}`,
    doneWhen: `marked as ${word}`,
    undoneBy: null,
    isDone: async () => {
      const known = await getQueueLocations(on.db, queueName);
      await on.db.commit();
      const entry = known.find((each) => each.nodeName === nodeName);
      return entry === undefined || entry.isDead === isDead;
    },
    run: () => registerLocation(on.db, quietOn(context, on.nodeName), queueName, nodeName, null, isDead),
  };
}
