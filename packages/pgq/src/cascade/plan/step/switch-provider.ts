import { changeConsumerProvider, setConsumerPaused } from "../../pgq-node-api.ts";
import type { PlanStep } from "../plan.ts";
import { type ConsumerAt, insideOn, type PlanContext } from "../plan-context.ts";
import type { LiveMember } from "../set-state.ts";
import { stateOf } from "./consumer-position.ts";
import { ensureLocation } from "./subscribe.ts";

/** Makes a paused consumer read from another node and go on: one transaction, so that it is never left paused half-way.
 * @param isResuming false for one that was not paused for this */
export function switchProvider(
  context: PlanContext,
  at: ConsumerAt,
  provider: LiveMember,
  isResuming = true,
): PlanStep {
  const { queueName } = context.admin;
  const { member, consumerName } = at;
  const { db } = member;
  return {
    name: "switch-provider",
    node: member.nodeName,
    action: `"${consumerName}" reads from "${provider.nodeName}" and goes on`,
    doneWhen: `provider is "${provider.nodeName}"`,
    undoneBy: null,
    isDone: async () => {
      const state = await stateOf(context, at);
      return state.providerNode === provider.nodeName && !(isResuming && state.isPaused);
    },
    run: () =>
      db.transaction(async () => {
        const call = insideOn(context, member.nodeName);
        await ensureLocation(context, member, provider);
        await changeConsumerProvider(db, call, queueName, consumerName, provider.nodeName);
        if (isResuming) await setConsumerPaused(db, call, queueName, consumerName, false);
      }),
  };
}
