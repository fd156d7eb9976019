import { finishMove, forgetMoved, forgetNewRoot, keepPlace, moveConsumer } from "./move-consumer.ts";
import { adoptConsumers, orphanedConsumers } from "./orphaned-consumers.ts";
import type { Finding, Plan, PlanStep } from "./plan.ts";
import { pausedFindings, possibleRoots, refuseLeaf, silentFindings } from "./plan-checks.ts";
import { type PlanContext, workerOf } from "./plan-context.ts";
import type { LiveMember, SilentMember } from "./set-state.ts";
import { catchUp, ownTick } from "./step/catch-up.ts";
import { completeTick } from "./step/complete-tick.ts";
import { type AheadLeaf, aheadFile, useAhead } from "./step/leaf-ahead.ts";
import { askPause, pause } from "./step/pause.ts";
import { prepareRoot } from "./step/prepare-root.ts";
import { promote } from "./step/promote.ts";
import { resume } from "./step/resume.ts";
import { tag } from "./step/tag.ts";
import { type TakeoverRequest, takeoverTitle } from "./takeover-request.ts";

/** Failover: a branch becomes the root because the root is dead. It first gets what any other node has more than it, keeps the
 * place of everybody who read from the dead root, is promoted, and then takes them over. What only a leaf has is set aside. The dead root is remembered by a
 * gravestone: what it had beyond is found by `resurrect`. Source: spec/cascade.md 10.3 */
export function takeoverDeadRoot(context: PlanContext, request: TakeoverRequest, old: SilentMember): Plan {
  const { set, taker } = request;
  const children = childrenOf(request, old);
  const isPromoted = taker.node.nodeType === "root";
  const unknown = isPromoted ? [] : possibleRoots(set, old.nodeName);
  const findings = unknown.length > 0 ? unknown : silentFindings(set, old.nodeName);
  if (!isPromoted) check(request, old, findings);
  const top = isPromoted ? takeoverTick(taker, old) : highestTick(request);
  const [followers, ahead] = [
    children.filter((each) => !isAhead(each, top)),
    children.filter((c) => isAhead(c, top)),
  ];
  const backward = isPromoted ? [] : ahead.flatMap((leaf) => aheadLeaf(context, leaf, request) ?? []);
  for (const member of ahead) findings.push(aheadFinding(member, top, backward));
  const coming = [...followers, ...backward.map(({ leaf }) => leaf)];
  const tags = set.rootLast.map((member) => tag(context, member, old.nodeName, true));
  const best = isPromoted ? undefined : mostAdvanced(request);
  const moved = new Set([taker, ...(best === undefined ? [] : [best]), ...coming]);
  findings.push(...pausedFindings(set, [...moved, ...ahead]));
  const steps = isPromoted
    ? [
        ...followers.flatMap((child) => moveConsumer(context, set, workerOf(child), taker)),
        ...forgetNewRoot(context, taker, set.subscribedOn(taker.nodeName)),
      ]
    : failover(context, request, old, coming, backward);
  const orphans = orphanedConsumers(set, old.nodeName);
  const adoption = adoptConsumers(context, orphans, taker, top, findings);
  const workers = [...moved].map((member) => ({
    nodeName: member.nodeName,
    consumerName: member.node.workerName,
    canBeLeftOut: member !== taker,
  }));
  return {
    title: takeoverTitle(request),
    findings,
    steps: [...tags, ...forgetMoved(context, set, [taker, ...coming]), ...steps, ...adoption],
    workers,
  };
}

function failover(
  context: PlanContext,
  request: TakeoverRequest,
  old: SilentMember,
  followers: readonly LiveMember[],
  backward: readonly AheadLeaf[],
): PlanStep[] {
  const { set, taker } = request;
  const best = mostAdvanced(request);
  const isFollower = best !== undefined && followers.includes(best);
  const promotion = promote(context, taker, {
    ...old,
    isDead: true,
    consumerName: gravestoneName(old.nodeName),
    lastKnownTick: lastKnownTick(request),
  });
  const standing = new Set([...(best === undefined ? [] : [best]), taker, ...followers]);
  return [
    ...[...standing].map((member) => askPause(context, workerOf(member))),
    ...(best === undefined ? [] : fetchFrom(context, request, best)),
    ...(best === undefined || isFollower ? [] : [resume(context, workerOf(best))]),
    pause(context, workerOf(taker)),
    completeTick(context, taker),
    ...backward.flatMap((each) => [pause(context, workerOf(each.leaf)), ...useAhead(context, each)]),
    ...followers.flatMap((child) => [
      ...(child === best ? [] : [pause(context, workerOf(child))]),
      ...keepPlace(context, workerOf(child), taker),
    ]),
    ...prepareRoot(context, request, undefined, promotion.isDone),
    promotion,
    ...followers.flatMap((child) => finishMove(context, set, workerOf(child), taker)),
    ...forgetNewRoot(context, taker, best === undefined ? set.subscribedOn(taker.nodeName) : [best]),
  ];
}

/** The taker gets what the most advanced branch has, which may itself have been left without its last tick. */
function fetchFrom(context: PlanContext, { set, taker }: TakeoverRequest, best: LiveMember): PlanStep[] {
  return [
    pause(context, workerOf(best)),
    completeTick(context, best),
    ...moveConsumer(context, set, workerOf(taker), best),
    catchUp(context, taker, () => ownTick(context, best), `what "${best.nodeName}" has`),
  ];
}

export function gravestoneName(nodeName: string): string {
  return `${nodeName}.gravestone`;
}

function childrenOf({ set, taker }: TakeoverRequest, old: SilentMember): LiveMember[] {
  return set.readersOf(old.nodeName).filter(({ nodeName }) => nodeName !== taker.nodeName);
}

/** The living branch that has come farther than the taker, and than all others. */
function mostAdvanced({ set, taker }: TakeoverRequest): LiveMember | undefined {
  const ahead = [...set.live.values()].filter(
    ({ node }) => node.nodeType === "branch" && node.workerLastTick > taker.node.workerLastTick,
  );
  return ahead.toSorted((a, b) => Number(b.node.workerLastTick - a.node.workerLastTick))[0];
}

/** The last tick of which a living branch has the events, whether its queue shows that tick yet or not. */
function highestTick(request: TakeoverRequest): bigint {
  return (mostAdvanced(request) ?? request.taker).node.workerLastTick;
}

/** The last tick of the dead root that the new root has. Its own are later, and nobody who still reads from the dead root has one. */
function takeoverTick(newRoot: LiveMember, { nodeName }: SilentMember): bigint {
  const { positions, newestTick } = newRoot.queue!;
  return positions.get(gravestoneName(nodeName)) ?? newestTick;
}

/** A leaf whose application can make its data anew. One that feeds a combined queue has passed it on already. */
function aheadLeaf(
  { admin }: PlanContext,
  leaf: LiveMember,
  { taker, leavesAhead }: TakeoverRequest,
): AheadLeaf | undefined {
  const application = admin.hooks?.leafAhead;
  return application === undefined || leavesAhead || leaf.node.combinedQueue !== null
    ? undefined
    : { leaf, taker, application };
}

function aheadFinding(member: LiveMember, top: bigint, backward: readonly AheadLeaf[]): Finding {
  const { nodeName, node } = member;
  const what = `${node.nodeType} "${nodeName}" has applied ticks up to ${node.workerLastTick}, the new root has none after ${top} of the dead one`;
  if (backward.some(({ leaf }) => leaf === member)) {
    const text = `${what}: it is compared before the promotion (--leave-ahead does without), what only it has goes to ${aheadFile({ leaf: member })}, and it gets anew what differs`;
    return { kind: "warning", text };
  }
  if (node.nodeType === "branch") {
    const text = `${what}: it cannot follow until resurrect, run there, has set aside what only it has`;
    return { kind: "warning", text, leftOut: { nodeName, reason: "it is ahead, run resurrect there" } };
  }
  const text = `${what}: it cannot follow; its database holds what it has applied, look there before it is created anew`;
  return { kind: "warning", text, leftOut: { nodeName, reason: "it is ahead and cannot follow" } };
}

/** Before the promotion only a leaf can be: of branches the farthest comes along. Afterwards everybody can who did not answer then. */
function isAhead({ node }: LiveMember, top: bigint): boolean {
  return node.workerLastTick > top;
}

function lastKnownTick({ set }: TakeoverRequest): bigint {
  return [...set.live.values()].reduce(
    (last, { node }) => (node.workerLastTick > last ? node.workerLastTick : last),
    0n,
  );
}

function check(request: TakeoverRequest, old: SilentMember, findings: Finding[]): void {
  const { set, taker, oldName } = request;
  refuseLeaf(taker, findings);
  for (const root of set.roots) {
    findings.push({
      kind: "refusal",
      text: `"${root.nodeName}" is the root already, "${oldName}" is not any more`,
      hint: `Use change-provider, or let "${taker.nodeName}" take over from "${root.nodeName}".`,
    });
  }
  findings.push({
    kind: "note",
    text: `events that "${old.nodeName}" had after tick ${highestTick(request)} are on no living node; resurrect sets them aside when it is back`,
  });
}
