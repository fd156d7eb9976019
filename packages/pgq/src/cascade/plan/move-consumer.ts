import type { PlanStep } from "./plan.ts";
import { type ConsumerAt, isWorker, type PlanContext } from "./plan-context.ts";
import type { LiveMember, SetState } from "./set-state.ts";
import { awaitAnswer } from "./step/await-answer.ts";
import { catchUp } from "./step/catch-up.ts";
import { stateOf } from "./step/consumer-position.ts";
import { pause } from "./step/pause.ts";
import { subscribe, unsubscribe } from "./step/subscribe.ts";
import { switchProvider } from "./step/switch-provider.ts";

/** The steps that give a consumer another provider. A provider that is behind is waited for. */
export function moveConsumer(
  context: PlanContext,
  set: SetState,
  at: ConsumerAt,
  provider: LiveMember,
): PlanStep[] {
  return [pause(context, at), ...keepPlace(context, at, provider), ...finishMove(context, set, at, provider)];
}

/** The first half, with the consumer paused: its place on the new provider is kept for it. */
export function keepPlace(context: PlanContext, at: ConsumerAt, provider: LiveMember): PlanStep[] {
  const position = async () => (await stateOf(context, at)).completedTick;
  return [
    catchUp(context, provider, position, `the tick of "${at.member.nodeName}"`),
    subscribe(context, at, provider),
  ];
}

/** The second half: it goes on with the new provider and is forgotten elsewhere. */
export function finishMove(
  context: PlanContext,
  set: SetState,
  at: ConsumerAt,
  provider: LiveMember,
): PlanStep[] {
  return [
    switchProvider(context, at, provider),
    awaitAnswer(context, at),
    ...forgetElsewhere(context, set, at, provider.nodeName),
  ];
}

/** Removes what is left of a consumer on nodes that it does not read from. */
export function forgetElsewhere(
  context: PlanContext,
  set: SetState,
  at: ConsumerAt,
  providerName: string,
): PlanStep[] {
  const { member, consumerName } = at;
  const former = isWorker(at)
    ? set.subscribedOn(member.nodeName)
    : [...set.live.values()].filter(({ queue }) => queue?.positions.has(consumerName) === true);
  return former
    .filter(({ nodeName }) => nodeName !== providerName)
    .map((each) =>
      unsubscribe(context, { nodeName: member.nodeName, consumerName, isNode: isWorker(at) }, each),
    );
}

/** Removes the registrations of a node that has become the root.
 * @param former where it is registered at that moment */
export function forgetNewRoot(
  context: PlanContext,
  { nodeName, node }: LiveMember,
  former: readonly LiveMember[],
): PlanStep[] {
  return former
    .filter((each) => each.nodeName !== nodeName)
    .map((each) => unsubscribe(context, { nodeName, consumerName: node.workerName, isNode: true }, each));
}

/** Removes registrations of nodes that read elsewhere: what an interrupted command has left.
 * @param handled nodes that the plan itself moves */
export function forgetMoved(context: PlanContext, set: SetState, handled: readonly LiveMember[]): PlanStep[] {
  const names = new Set(handled.map(({ nodeName }) => nodeName));
  return [...set.live.values()].flatMap((provider) =>
    provider.subscribers.flatMap(({ nodeName, workerName }) => {
      const node = set.live.get(nodeName)?.node;
      if (node === undefined || names.has(nodeName) || node.workerName !== workerName) return [];
      if (node.nodeType !== "root" && node.providerNode === provider.nodeName) return [];
      return [unsubscribe(context, { nodeName, consumerName: workerName, isNode: true }, provider)];
    }),
  );
}
