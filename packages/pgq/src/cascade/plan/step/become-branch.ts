import { SkytoolsError } from "@skytools/skytools";
import { getConsumerInfo, newestTick } from "../../../pgq-api.ts";
import { demoteRoot, getNodeInfo, setConsumerPaused } from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { insideOn, type PlanContext } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";
import { ensureLocation } from "./subscribe.ts";

/** Turns the old root into a branch of the new one, at the last tick, and lets its worker go on: one transaction. */
export function becomeBranch(context: PlanContext, root: LiveMember, newRoot: LiveMember): PlanStep {
  const { queueName } = context.admin;
  const { db, nodeName, node } = root;
  const call = insideOn(context, nodeName);
  return {
    name: "become-branch",
    node: nodeName,
    action: `become a branch of "${newRoot.nodeName}" and go on`,
    doneWhen: "its type is branch",
    undoneBy: null,
    isDone: async () => {
      const now = await getNodeInfo(db, queueName);
      await db.commit();
      return now?.nodeType !== "root";
    },
    run: async () => {
      const [registration] = await getConsumerInfo(newRoot.db, queueName, node.workerName);
      await newRoot.db.commit();
      const last = await newestTick(db, queueName);
      await db.commit();
      if (registration?.lastTick !== last?.tickId) {
        throw new SkytoolsError(
          "CASCADE_POSITION",
          `the queue of "${nodeName}" ends at tick ${last?.tickId ?? "none"}, "${newRoot.nodeName}" has taken over at ${registration?.lastTick ?? "none"}`,
          { hint: `Run resurrect on "${nodeName}": it sets aside what the new root does not have.` },
        );
      }
      await db.transaction(async () => {
        await demoteRoot(db, call, queueName, 3, newRoot.nodeName);
        await ensureLocation(context, root, newRoot);
        await setConsumerPaused(db, call, queueName, node.workerName, false);
      });
    },
  };
}
