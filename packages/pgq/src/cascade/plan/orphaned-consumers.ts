import { keepPlace } from "./move-consumer.ts";
import type { Finding, PlanStep } from "./plan.ts";
import { type ConsumerAt, isWorker, type PlanContext } from "./plan-context.ts";
import type { LiveMember, SetState } from "./set-state.ts";
import { switchProvider } from "./step/switch-provider.ts";

/** Plain consumers that read from a dead node. Table copies are not among them: they start again by themselves. */
export function orphanedConsumers(set: SetState, deadName: string): ConsumerAt[] {
  return [...set.live.values()].flatMap((member) =>
    member.consumers
      .filter(
        ({ providerNode, consumerName }) => providerNode === deadName && !consumerName.includes(".copy."),
      )
      .map(({ consumerName }): ConsumerAt => ({ member, consumerName }))
      .filter((at) => !isWorker(at)),
  );
}

/** Gives them another provider. What they would read is gone, so they stand still and need not be asked; a batch that one has
 * still in hand is recognised by its position.
 * @param top the last tick that the new provider will have
 * @param findings gets a warning for each consumer that has come farther than that */
export function adoptConsumers(
  context: PlanContext,
  orphans: readonly ConsumerAt[],
  provider: LiveMember,
  top: bigint,
  findings: Finding[],
): PlanStep[] {
  return orphans.flatMap((at) => {
    const { member, consumerName } = at;
    const position = member.consumers.find((each) => each.consumerName === consumerName)!.lastTick;
    if (position <= top)
      return [...keepPlace(context, at, provider), switchProvider(context, at, provider, false)];
    findings.push({
      kind: "warning",
      text: `consumer "${consumerName}" on "${member.nodeName}" has finished tick ${position}, which no living queue has: it cannot follow`,
    });
    return [];
  });
}
