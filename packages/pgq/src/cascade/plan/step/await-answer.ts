import type { PlanStep } from "../plan.ts";
import type { ConsumerAt, PlanContext } from "../plan-context.ts";
import { awaitAnswers, hasAnswered } from "../worker-answer.ts";

/** Waits until a consumer has seen its new provider or role. */
export function awaitAnswer(context: PlanContext, { member, consumerName }: ConsumerAt): PlanStep {
  const { admin, patience } = context;
  const { db, nodeName } = member;
  return {
    name: "await-answer",
    node: nodeName,
    action: `wait until "${consumerName}" has seen the change`,
    doneWhen: "uptodate",
    undoneBy: null,
    isWait: true,
    isDone: () => hasAnswered(admin, { db, consumerName }),
    run: () => awaitAnswers(admin, patience, [{ db, consumerName, nodeName }]),
  };
}
