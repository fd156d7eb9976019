import { nodeOf } from "../../node-connection.ts";
import { dropNode, getQueueLocations } from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { type PlanContext, quietOn } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";

/** Removes a node from what one member knows; in the node's own database, the node with its queue. */
export function drop(context: PlanContext, on: LiveMember, nodeName: string): PlanStep {
  const { queueName } = context.admin;
  const isOwn = on.nodeName === nodeName;
  return {
    name: "drop",
    node: on.nodeName,
    action: isOwn ? "remove the node, its queue and its state" : `forget "${nodeName}"`,
    doneWhen: isOwn ? "the database has no such node" : "the member list does not name it",
    undoneBy: null,
    isDone: async () => {
      if (isOwn) return (await nodeOf(on.db, queueName)) === undefined;
      const known = await getQueueLocations(on.db, queueName);
      await on.db.commit();
      return known.every((each) => each.nodeName !== nodeName);
    },
    run: () => dropNode(on.db, quietOn(context, on.nodeName), queueName, nodeName),
  };
}
