import { UsageError } from "@skytools/skytools";
import { readMergedQueues, startMerging } from "./merge-workers.ts";
import { forgetNewRoot } from "./move-consumer.ts";
import type { Finding, Plan } from "./plan.ts";
import { isBelowAlready } from "./plan-checks.ts";
import type { PlanContext } from "./plan-context.ts";
import { isLive, type LiveMember, type SetState, type SilentMember } from "./set-state.ts";
import { applicationProblems } from "./step/prepare-root.ts";
import { takeoverBranch } from "./takeover-branch.ts";
import { takeoverDeadRoot } from "./takeover-dead-root.ts";
import { takeoverLiveRoot, undoTakeover } from "./takeover-live-root.ts";
import { type TakeoverRequest, takeoverTitle } from "./takeover-request.ts";

/** The switches of takeover. */
export interface TakeoverOptions {
  readonly oldName: string;
  /** default: the local node */
  readonly takerName: string | undefined;
  readonly isAll: boolean;
  readonly isDeadRoot: boolean;
  readonly isDeadBranch: boolean;
  readonly isUndo: boolean;
  /** leafs that are ahead of all queues are left as they are */
  readonly leavesAhead: boolean;
  /** the application's objections are warnings */
  readonly isForced: boolean;
}

/** Chooses the variant that fits what the old node is, and whether it lives. Source: spec/cascade.md 10.1
 * @throws UsageError for names that are unknown or the same */
export async function takeoverPlan(
  context: PlanContext,
  set: SetState,
  options: TakeoverOptions,
): Promise<Plan> {
  const { oldName } = options;
  const takerName = options.takerName ?? set.localNode;
  for (const name of [oldName, takerName]) {
    if (!set.isKnown(name)) throw new UsageError(`Unknown node: ${name}`, { hint: "See members." });
  }
  const taker = set.live.get(takerName);
  const old = set.live.get(oldName) ?? set.silent.get(oldName)!;
  if (taker === undefined) {
    throw new UsageError(`node "${takerName}" cannot take over: it is dead or does not answer`);
  }
  const isDead = options.isDeadRoot || options.isDeadBranch;
  const merged = isLive(old) ? await readMergedQueues(context, taker, old) : [];
  const { leavesAhead, isForced } = options;
  const request: TakeoverRequest = {
    set,
    oldName,
    taker,
    isAll: options.isAll || isDead,
    leavesAhead,
    isForced,
    merged,
  };
  if (oldName === takerName)
    return { title: takeoverTitle(request), findings: [sameNode], steps: [], workers: [] };
  const plan = variant(context, request, old, options);
  const isOfRoot = isLive(old) ? old.node.nodeType === "root" : options.isDeadRoot;
  const isPromotion = isOfRoot && !options.isUndo && taker.node.nodeType !== "root";
  const problems = isPromotion
    ? await applicationProblems(context, taker, isLive(old) ? old : undefined)
    : [];
  const kind = isForced ? "warning" : "refusal";
  return { ...plan, findings: [...plan.findings, ...problems.map((each) => ({ ...each, kind }) as const)] };
}

const sameNode: Finding = { kind: "note", text: "same node? A node cannot take over from itself" };

function variant(
  context: PlanContext,
  request: TakeoverRequest,
  old: LiveMember | SilentMember,
  options: TakeoverOptions,
): Plan {
  const { taker, set } = request;
  if (isLive(old)) {
    if (options.isDeadRoot || options.isDeadBranch) return refused(request, answering(old));
    if (options.isUndo) return undoTakeover(context, request, old);
    if (old.node.nodeType === "root") return takeoverLiveRoot(context, request, old);
    if (taker.node.nodeType === "root" && old.node.providerNode === taker.nodeName) {
      const leftovers = forgetNewRoot(context, taker, set.subscribedOn(taker.nodeName));
      const merging = startMerging(request.merged);
      // Whoever did not answer at the switchover still reads from the old root.
      if (request.isAll) {
        const rest = takeoverBranch(context, request, old);
        return { ...rest, steps: [...leftovers, ...rest.steps, ...merging] };
      }
      const steps = [...leftovers, ...merging];
      return { title: takeoverTitle(request), findings: [isBelowAlready(old, taker)], steps, workers: [] };
    }
    return takeoverBranch(context, request, old);
  }
  if (options.isDeadRoot) return takeoverDeadRoot(context, request, old);
  if (options.isDeadBranch) return takeoverBranch(context, request, old);
  return refused(request, {
    kind: "refusal",
    text: `node "${old.nodeName}" ${old.failure === null ? "is dead" : `does not answer: ${old.failure}`}`,
    hint: "Say --dead-root or --dead-branch when it will not come back soon; run resurrect on a former root that is back.",
  });
}

function answering({ nodeName, node, db }: LiveMember): Finding {
  return {
    kind: "refusal",
    text: `${node.nodeType} "${nodeName}" is not dead, it answers (${db.label})`,
    hint: `Take over without --dead-root or --dead-branch, which loses nothing; or say --dead=${nodeName} when it must not be asked.`,
  };
}

function refused(request: TakeoverRequest, finding: Finding): Plan {
  return { title: takeoverTitle(request), findings: [finding], steps: [], workers: [] };
}
