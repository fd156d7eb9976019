import { setConsumerPaused } from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { type ConsumerAt, isWorker, type PlanContext, quietOn } from "../plan-context.ts";
import { awaitAnswers } from "../worker-answer.ts";
import { stateOf } from "./consumer-position.ts";

/** Stops a consumer between two batches, and waits until its process has said so. */
export function pause(context: PlanContext, at: ConsumerAt): PlanStep {
  const { admin, patience } = context;
  const { member, consumerName } = at;
  const { db, nodeName } = member;
  const set = (isPaused: boolean) =>
    setConsumerPaused(db, quietOn(context, nodeName), admin.queueName, consumerName, isPaused);
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
      await set(true);
      await awaitAnswers(admin, patience, [{ db, consumerName, nodeName }]);
    },
    undo: () => set(false),
  };
}
