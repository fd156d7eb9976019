import { newestTick } from "../../pgq-api.ts";
import { checkTargets, startMerging, stopMerging } from "./merge-workers.ts";
import { forgetMoved, forgetNewRoot, moveConsumer } from "./move-consumer.ts";
import type { Finding, Plan, PlanStep, WorkerPlace } from "./plan.ts";
import { refuseLeaf, silentFindings, workerTrouble } from "./plan-checks.ts";
import { type PlanContext, workerOf } from "./plan-context.ts";
import type { LiveMember } from "./set-state.ts";
import { awaitAnswer } from "./step/await-answer.ts";
import { becomeBranch } from "./step/become-branch.ts";
import { catchUp } from "./step/catch-up.ts";
import { finalTick } from "./step/final-tick.ts";
import { pause } from "./step/pause.ts";
import { prepareRoot } from "./step/prepare-root.ts";
import { promote } from "./step/promote.ts";
import { acceptWrites, refuseWrites } from "./step/refuse-writes.ts";
import { resume } from "./step/resume.ts";
import { type TakeoverRequest, takeoverTitle } from "./takeover-request.ts";

/** Switchover: a branch becomes the root, and the root a branch of it, with both alive. Applications cannot write between
 * `refuse-writes` and `promote`. Source: spec/cascade.md 10.2 */
export function takeoverLiveRoot(context: PlanContext, request: TakeoverRequest, old: LiveMember): Plan {
  const { set, taker } = request;
  const findings = silentFindings(set);
  const isPromoted = taker.node.nodeType === "root";
  const moved = request.isAll ? movedNodes(request, old) : [];
  if (isPromoted) checkUnfinished(request, old, findings);
  else checkSwitchover(request, old, findings);
  const steps = isPromoted
    ? restOf(context, request, old)
    : [...moves(context, request, old, moved), ...switchover(context, request, old)];
  const workers: WorkerPlace[] = [old, taker, ...moved].map((member) => ({
    nodeName: member.nodeName,
    consumerName: member.node.workerName,
    canBeLeftOut: moved.includes(member),
  }));
  return { title: takeoverTitle(request), findings, steps, workers: steps.length === 0 ? [] : workers };
}

/** Gives up a switchover that has not got as far as the promotion. */
export function undoTakeover(context: PlanContext, request: TakeoverRequest, old: LiveMember): Plan {
  const { set, taker } = request;
  const findings = silentFindings(set);
  if (taker.node.nodeType === "root") {
    findings.push({
      kind: "refusal",
      text: `"${taker.nodeName}" is the root already`,
      hint: `Run the takeover again to complete it, then let "${old.nodeName}" take over.`,
    });
  }
  if (taker.node.nodeType !== "root" && old.node.nodeType !== "root") {
    const text = `"${old.nodeName}" is a ${old.node.nodeType}: only the takeover of a live root can be given up`;
    findings.push({ kind: "refusal", text, hint: "change-provider takes a node elsewhere." });
  }
  const steps = [
    acceptWrites(context, old),
    resume(context, workerOf(taker)),
    resume(context, workerOf(old)),
    ...startMerging(request.merged),
  ];
  return { title: `undo of ${takeoverTitle(request)}`, findings, steps, workers: [] };
}

/** Others that read from the old root, moved before it stops being one. */
function movedNodes({ set, taker }: TakeoverRequest, old: LiveMember): LiveMember[] {
  return set.readersOf(old.nodeName).filter(({ nodeName }) => nodeName !== taker.nodeName);
}

/** The new root first comes right below the old one, so that nobody who is moved below it is above it too. */
function moves(
  context: PlanContext,
  { set, taker, isAll }: TakeoverRequest,
  old: LiveMember,
  moved: readonly LiveMember[],
): PlanStep[] {
  const isDirect = taker.node.providerNode === old.nodeName;
  return [
    ...forgetMoved(context, set, isDirect ? moved : [taker, ...moved]),
    ...(isAll && !isDirect ? moveConsumer(context, set, workerOf(taker), old) : []),
    ...moved.flatMap((member) => moveConsumer(context, set, workerOf(member), taker)),
  ];
}

function switchover(context: PlanContext, request: TakeoverRequest, old: LiveMember): PlanStep[] {
  const { taker } = request;
  const { queueName } = context.admin;
  const topOfOld = async () => {
    const newest = await newestTick(old.db, queueName);
    await old.db.commit();
    return newest!.tickId;
  };
  const promotion = promote(context, taker, {
    ...old,
    consumerName: old.node.workerName,
    lastKnownTick: old.queue!.newestTick,
  });
  return [
    catchUp(context, taker, topOfOld, `what "${old.nodeName}" has now`),
    ...stopMerging(request.merged),
    pause(context, workerOf(old)),
    refuseWrites(context, old, taker.nodeName),
    finalTick(context, old, taker.nodeName, promotion.isDone),
    catchUp(context, taker, topOfOld, `the last tick of "${old.nodeName}"`),
    pause(context, workerOf(taker)),
    ...prepareRoot(context, request, old, promotion.isDone),
    promotion,
    ...restOf(context, request, old),
  ];
}

/** What follows the promotion. */
function restOf(context: PlanContext, request: TakeoverRequest, old: LiveMember): PlanStep[] {
  const { set, taker, isAll } = request;
  const isMovedFirst = isAll && taker.node.nodeType !== "root" && taker.node.providerNode !== old.nodeName;
  return [
    becomeBranch(context, old, taker),
    awaitAnswer(context, workerOf(taker)),
    awaitAnswer(context, workerOf(old)),
    ...startMerging(request.merged),
    ...forgetNewRoot(context, taker, isMovedFirst ? [old] : set.subscribedOn(taker.nodeName)),
  ];
}

function checkSwitchover({ set, taker }: TakeoverRequest, old: LiveMember, findings: Finding[]): void {
  const refuse = (text: string, hint?: string) => findings.push({ kind: "refusal", text, hint });
  refuseLeaf(taker, findings);
  findings.push(...workerTrouble(taker), ...checkTargets(taker, old));
  if (taker.node.nodeType === "branch" && set.upstreamOf(taker.nodeName).at(-1) !== old.nodeName) {
    refuse(
      `"${taker.nodeName}" does not get its events from "${old.nodeName}"`,
      "Look at status, and repair the chain with change-provider.",
    );
  }
  const [mine, theirs] = [taker.queue?.newestTick, old.queue?.newestTick];
  if (mine !== undefined && theirs !== undefined) {
    const text = `"${taker.nodeName}" is at tick ${mine}, "${old.nodeName}" at ${theirs}; nothing is lost, writes fail from refuse-writes to promote`;
    findings.push({ kind: "note", text });
  }
  if (mine !== undefined && theirs !== undefined && mine > theirs) {
    refuse(
      `"${taker.nodeName}" is at tick ${mine}, its root "${old.nodeName}" only at ${theirs}: that database was restored from an older state`,
      `Take over with --dead-root --dead=${old.nodeName}, then run resurrect on "${old.nodeName}".`,
    );
  }
}

/** Both call themselves root: the rest of an interrupted switchover, or an old root that has come back. */
function checkUnfinished({ taker }: TakeoverRequest, old: LiveMember, findings: Finding[]): void {
  if (old.node.nodeType !== "root" || old.queue?.isInsertDisabled === true) return;
  findings.push({
    kind: "refusal",
    text: `both "${old.nodeName}" and "${taker.nodeName}" are roots, and both accept events`,
    hint: `Run resurrect on the one that was given up, probably "${old.nodeName}".`,
  });
}
