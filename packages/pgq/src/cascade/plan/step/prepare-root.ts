import type { Database } from "@skytools/skytools";
import type { PlanStep } from "../plan.ts";
import type { PlanContext } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";

/** What the application has to do on a node before it is promoted; nothing where no application has a part in it.
 * @param old database of the old root; undefined when it is dead
 * @param isOver true once the node is the root */
export function prepareRoot(
  { admin }: PlanContext,
  { db, nodeName }: LiveMember,
  old: Database | undefined,
  isOver: () => Promise<boolean>,
): PlanStep[] {
  const { newRoot } = admin.hooks ?? {};
  if (newRoot === undefined) return [];
  return [
    {
      name: "prepare-root",
      node: nodeName,
      action: newRoot.action,
      doneWhen: "it is the root; until then it is done again",
      undoneBy: null,
      isDone: isOver,
      run: () => newRoot.prepare(admin, db, old),
    },
  ];
}
