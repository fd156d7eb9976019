import { UsageError } from "@skytools/skytools";
import type { Finding, Plan } from "./plan.ts";
import type { PlanContext } from "./plan-context.ts";
import type { LiveMember, SetState } from "./set-state.ts";
import { drop } from "./step/drop.ts";

/** Removes a node from its own database and from every member. The root tells those who do not answer, and the node that runs
 * the command forgets last, so that running it again completes it. Source: spec/cascade.md 9.6
 * @throws UsageError for an unknown node */
export function dropNodePlan(context: PlanContext, set: SetState, nodeName: string): Plan {
  if (!set.isKnown(nodeName)) throw new UsageError(`Unknown node: ${nodeName}`, { hint: "See members." });
  const findings: Finding[] = [];
  const subscribers = set.live.get(nodeName)?.subscribers ?? [];
  const readers = new Set([
    ...subscribers.map((subscriber) => subscriber.nodeName),
    ...set.readersOf(nodeName).map((reader) => reader.nodeName),
  ]);
  if (readers.size > 0) {
    const names = [...readers].map((name) => `"${name}"`).join(", ");
    findings.push({
      kind: "refusal",
      text: `node still has subscribers: ${names} read from "${nodeName}"`,
      hint: "Give them another provider or drop them first.",
    });
  }
  for (const silent of set.silent.values()) {
    const warning =
      silent.failure === null
        ? `ignoring cmd for dead node '${silent.nodeName}': drop_node`
        : silent.nodeName === nodeName
          ? `Local drop failure: ${silent.failure}`
          : `Failed to remove from '${silent.nodeName}': ${silent.failure}`;
    findings.push({ kind: "warning", text: warning });
  }
  const steps = inOrder(set, nodeName).map((member) => drop(context, member, nodeName));
  return { title: `drop-node ${nodeName}`, findings, steps, workers: [] };
}

/** The node itself, the others, the root, and at last the one that runs the command. */
function inOrder({ live, localNode }: SetState, nodeName: string): LiveMember[] {
  const rank = ({ node }: LiveMember) =>
    node.nodeName === localNode ? 3 : node.nodeName === nodeName ? 0 : node.nodeType === "root" ? 2 : 1;
  return [...live.values()].toSorted((a, b) => rank(a) - rank(b));
}
