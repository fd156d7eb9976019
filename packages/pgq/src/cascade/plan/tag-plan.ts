import { UsageError } from "@skytools/skytools";
import type { Finding, Plan } from "./plan.ts";
import { silentFindings } from "./plan-checks.ts";
import type { PlanContext } from "./plan-context.ts";
import type { SetState } from "./set-state.ts";
import { tag } from "./step/tag.ts";

/** Marks a node dead or alive on every member that answers. Source: spec/cascade.md 9.7
 * @throws UsageError for an unknown node */
export function tagPlan(context: PlanContext, set: SetState, nodeName: string, isDead: boolean): Plan {
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
  const steps = set.rootLast.map((member) => tag(context, member, nodeName, isDead));
  return { title: `tag-${isDead ? "dead" : "alive"} ${nodeName}`, findings, steps, workers: [] };
}
