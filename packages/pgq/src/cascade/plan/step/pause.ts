import { setConsumerPaused } from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { type ConsumerAt, isWorker, type PlanContext, quietOn } from "../plan-context.ts";
import { awaitAnswers } from "../worker-answer.ts";
import { stateOf } from "./consumer-position.ts";

/** Asks a consumer to pause and does not wait: of several whose provider is gone, each sleeps after its failure (exception_sleep)
 * before it looks, and they shall not do so one after the other. */
export function askPause(context: PlanContext, at: ConsumerAt): PlanStep {
  return {
    name: "ask-pause",
    node: at.member.nodeName,
    action: "ask the worker to pause; its answer is waited for later",
    doneWhen: "paused",
    undoneBy: "resume it",
    isDone: async () => (await stateOf(context, at)).isPaused,
    run: () => setPaused(context, at, true),
    undo: () => setPaused(context, at, false),
  };
}

/** Stops a consumer between two batches, and waits until its process has said so. */
export function pause(context: PlanContext, at: ConsumerAt): PlanStep {
  const { admin, patience } = context;
  const { member, consumerName } = at;
  const { db, nodeName } = member;
  return {
    name: "pause",
    node: nodeName,
    action: `pause ${isWorker(at) ? "the worker" : `consumer "${consumerName}"`} and wait for its answer`,
    doneWhen: "paused and uptodate",
    undoneBy: "resume it",
    isDone: async () => {
      const state = await stateOf(context, at);
      return state.isPaused && state.isUptodate;
    },
    run: async () => {
      await setPaused(context, at, true);
      await awaitAnswers(admin, patience, [{ db, consumerName, nodeName }]);
    },
    undo: () => setPaused(context, at, false),
  };
}

async function setPaused(
  context: PlanContext,
  { member, consumerName }: ConsumerAt,
  isPaused: boolean,
): Promise<void> {
  const { db, nodeName } = member;
  await setConsumerPaused(db, quietOn(context, nodeName), context.admin.queueName, consumerName, isPaused);
}
