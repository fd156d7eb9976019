import { DatabaseError, SkytoolsError } from "@skytools/skytools";
import { demoteRoot, getNodeInfo } from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { type PlanContext, quietOn } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";

/** SQLSTATE lock_not_available */
const lockTimedOut = "55P03";

/** Waits for the writers that are still at it and cuts the old root's last batch. Repeating it cuts another, empty one, which
 * is harmless as long as nobody else is the root. Its lock waits no longer than lock_timeout of the session.
 * @param isOver true once somebody else is */
export function finalTick(
  context: PlanContext,
  root: LiveMember,
  newRootName: string,
  isOver: () => Promise<boolean>,
): PlanStep {
  const { admin, patience } = context;
  const { db, nodeName } = root;
  return {
    name: "final-tick",
    node: nodeName,
    action: "wait for open writers and cut the last batch",
    doneWhen: "somebody else is the root; until then it is done again",
    undoneBy: null,
    isDone: async () => {
      if (await isOver()) return true;
      const node = await getNodeInfo(db, admin.queueName);
      await db.commit();
      return node?.nodeType !== "root";
    },
    run: async () => {
      try {
        await demoteRoot(db, quietOn(context, nodeName), admin.queueName, 2, newRootName);
      } catch (error) {
        if (!(error instanceof DatabaseError) || error.sqlState !== lockTimedOut) throw error;
        throw new SkytoolsError(
          "CASCADE_TIMEOUT",
          `a transaction that has written to the queue is still open on ${db.label} (waited ${patience.timeoutSeconds} s)`,
          {
            cause: error,
            hint: "End it (see pg_stat_activity and pg_locks), or give it longer with --timeout.",
          },
        );
      }
    },
  };
}
