import { checkMove } from "./change-provider-plan.ts";
import { forgetMoved, moveConsumer } from "./move-consumer.ts";
import { adoptConsumers, orphanedConsumers } from "./orphaned-consumers.ts";
import type { Finding, Plan, PlanStep } from "./plan.ts";
import { isBelowAlready, refuseLeaf, requireLive, silentFindings, workerTrouble } from "./plan-checks.ts";
import { type PlanContext, workerOf } from "./plan-context.ts";
import { isLive, type LiveMember, type SetState, type SilentMember } from "./set-state.ts";
import { askPause } from "./step/pause.ts";
import { tag } from "./step/tag.ts";
import { type TakeoverRequest, takeoverTitle } from "./takeover-request.ts";

/** A node takes the place of a branch or leaf: it goes to that node's provider, the others below the old node come to it, and so
 * does the old node when it lives. Source: spec/cascade.md 10.4 */
export function takeoverBranch(
  context: PlanContext,
  request: TakeoverRequest,
  old: LiveMember | SilentMember,
): Plan {
  const { set, taker, isAll } = request;
  const findings = silentFindings(set, old.nodeName);
  refuseLeaf(taker, findings);
  const isBelow = set.upstreamOf(taker.nodeName).includes(old.nodeName);
  const above = isBelow ? providerOf(set, old, findings) : undefined;
  const moved = isAll || !isLive(old) ? set.readersOf(old.nodeName) : [];
  const others = moved.filter(({ nodeName }) => nodeName !== taker.nodeName);
  const hasMoved = isLive(old) && old.node.providerNode === taker.nodeName;
  const followers = isLive(old) && !hasMoved ? [...others, old] : others;
  if (isLive(old) && hasMoved) findings.push(isBelowAlready(old, taker));
  if (above !== undefined) checkMove(set, workerOf(taker), above, findings);
  for (const member of followers) findings.push(...workerTrouble(member));
  const movers = above === undefined ? followers : [taker, ...followers];
  const steps: PlanStep[] = [
    ...(isLive(old) ? [] : set.rootLast.map((member) => tag(context, member, old.nodeName, true))),
    ...forgetMoved(context, set, movers),
    ...(isLive(old) ? [] : movers.map((member) => askPause(context, workerOf(member)))),
    ...(above === undefined ? [] : moveConsumer(context, set, workerOf(taker), above)),
    ...followers.flatMap((member) => moveConsumer(context, set, workerOf(member), taker)),
    ...(isLive(old) ? [] : adoption(context, request, old, findings)),
  ];
  const workers = movers.map((member) => ({
    nodeName: member.nodeName,
    consumerName: member.node.workerName,
    canBeLeftOut: others.includes(member),
  }));
  return { title: takeoverTitle(request), findings, steps, workers };
}

function adoption(
  context: PlanContext,
  { set, taker }: TakeoverRequest,
  { nodeName }: SilentMember,
  findings: Finding[],
): PlanStep[] {
  // the taker keeps reading, so it comes to any tick that they have finished
  const top = set.roots.reduce((_none, { queue }) => queue!.newestTick, taker.node.workerLastTick);
  return adoptConsumers(context, orphanedConsumers(set, nodeName), taker, top, findings);
}

/** The node that the old one reads from; of a dead one, the node on which it is registered. */
function providerOf(
  set: SetState,
  old: LiveMember | SilentMember,
  findings: Finding[],
): LiveMember | undefined {
  if (isLive(old)) return requireLive(set, old.node.providerNode, findings);
  const provider = set.subscribedOn(old.nodeName)[0] ?? set.roots[0];
  if (provider === undefined) {
    findings.push({
      kind: "refusal",
      text: `the provider of "${old.nodeName}" is not known`,
      hint: "Give the nodes below it another provider with change-provider.",
    });
  }
  return provider;
}
