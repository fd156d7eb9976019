import { UsageError } from "@skytools/skytools";
import type { Finding, Plan, PlanStep } from "./plan.ts";
import { silentFindings } from "./plan-checks.ts";
import type { PlanContext } from "./plan-context.ts";
import { isLive, type LiveMember, readMember, type SetState, type SilentMember } from "./set-state.ts";
import { unsubscribe } from "./step/subscribe.ts";
import { tag } from "./step/tag.ts";

/** Marks a node dead or alive on every member that answers. One that is alive again forgets the nodes that have gone elsewhere
 * meanwhile: their registrations would hold its queue back. Source: spec/cascade.md 9.7
 * @throws UsageError for an unknown node */
export async function tagPlan(
  context: PlanContext,
  set: SetState,
  nodeName: string,
  isDead: boolean,
): Promise<Plan> {
  if (!set.isKnown(nodeName)) throw new UsageError(`Unknown node: ${nodeName}`, { hint: "See members." });
  const findings: Finding[] = silentFindings(set, nodeName);
  if (isDead && set.localNode === nodeName) {
    findings.push({
      kind: "refusal",
      text: "a node cannot declare itself dead",
      hint: "Run it on another node.",
    });
  }
  if (isDead) {
    findings.push({
      kind: "note",
      text: `"${nodeName}" still holds back the queue of its provider; drop-node ends that`,
    });
  }
  const tags = set.rootLast.map((member) => tag(context, member, nodeName, isDead));
  const steps = isDead ? tags : [...tags, ...(await forgetLeavers(context, set, nodeName))];
  return { title: `tag-${isDead ? "dead" : "alive"} ${nodeName}`, findings, steps, workers: [] };
}

/** On the node that is alive again: its subscribers that read from another node now. */
async function forgetLeavers(context: PlanContext, set: SetState, nodeName: string): Promise<PlanStep[]> {
  const returned = set.live.get(nodeName) ?? (await askAgain(context, set.silent.get(nodeName)));
  if (returned === undefined) return [];
  return returned.subscribers.flatMap((subscriber) => {
    const reader = set.live.get(subscriber.nodeName)?.node;
    if (reader === undefined || reader.providerNode === nodeName) return [];
    const left = { nodeName: subscriber.nodeName, consumerName: subscriber.workerName, isNode: true };
    return [unsubscribe(context, left, returned)];
  });
}

/** A node that was not asked because it counted as dead. */
async function askAgain(
  { admin }: PlanContext,
  silent: SilentMember | undefined,
): Promise<LiveMember | undefined> {
  if (silent === undefined) return undefined;
  const member = await readMember(admin, silent);
  return isLive(member) ? member : undefined;
}
