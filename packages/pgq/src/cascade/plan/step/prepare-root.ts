import { SkytoolsError } from "@skytools/skytools";
import type { TakeoverProblem } from "../../cascade-admin.ts";
import type { PlanStep } from "../plan.ts";
import type { PlanContext } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";
import type { TakeoverRequest } from "../takeover-request.ts";

/** What the application has to do on a node before it is promoted; nothing where no application has a part in it. It is asked for
 * objections once more: what the old root has still handed on may have brought some.
 * @param old the old root; undefined when it is dead
 * @param isOver true once the node is the root */
export function prepareRoot(
  context: PlanContext,
  { taker, isForced }: TakeoverRequest,
  old: LiveMember | undefined,
  isOver: () => Promise<boolean>,
): PlanStep[] {
  const { admin } = context;
  const { newRoot } = admin.hooks ?? {};
  if (newRoot === undefined) return [];
  return [
    {
      name: "prepare-root",
      node: taker.nodeName,
      action: newRoot.action,
      doneWhen: "it is the root; until then it is done again",
      undoneBy: null,
      isDone: isOver,
      run: async () => {
        if (!isForced) refuse(await applicationProblems(context, taker, old));
        await newRoot.prepare(admin, taker.db, old?.db);
      },
    },
  ];
}

/** What the application knows about nodes that do not hold the same. */
export async function applicationProblems(
  { admin }: PlanContext,
  taker: LiveMember,
  old: LiveMember | undefined,
): Promise<readonly TakeoverProblem[]> {
  return (await admin.hooks?.checkTakeover?.(admin, taker.db, old?.db)) ?? [];
}

/** @throws SkytoolsError CASCADE_REFUSED */
function refuse(problems: readonly TakeoverProblem[]): void {
  if (problems.length === 0) return;
  const hint = problems.flatMap((problem) => problem.hint ?? []).join(" ");
  const message = problems.map(({ text }) => text).join("; ");
  throw new SkytoolsError("CASCADE_REFUSED", message, hint === "" ? {} : { hint });
}
