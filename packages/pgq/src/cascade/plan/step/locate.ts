import { maskConnectString } from "@skytools/skytools";
import { getQueueLocations, registerLocation } from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { type PlanContext, quietOn } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";

/** Stores a member's connect string on one node. On the root it is an event for everybody. */
export function locate(context: PlanContext, on: LiveMember, nodeName: string, location: string): PlanStep {
  const { queueName } = context.admin;
  const entry = async () => {
    const known = await getQueueLocations(on.db, queueName);
    await on.db.commit();
    return known.find((each) => each.nodeName === nodeName);
  };
  return {
    name: "locate",
    node: on.nodeName,
    action: `find "${nodeName}" at ${maskConnectString(location)}`,
    doneWhen: "that is its location",
    undoneBy: null,
    isDone: async () => {
      const known = await entry();
      return known === undefined || known.location === location;
    },
    run: async () => {
      const isDead = (await entry())?.isDead ?? false;
      await registerLocation(on.db, quietOn(context, on.nodeName), queueName, nodeName, location, isDead);
    },
  };
}
