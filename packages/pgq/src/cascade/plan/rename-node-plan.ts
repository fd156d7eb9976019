import { UsageError } from "@skytools/skytools";
import type { Renaming } from "../cascade-admin.ts";
import type { Finding, Plan } from "./plan.ts";
import type { PlanContext } from "./plan-context.ts";
import type { LiveMember, SetState } from "./set-state.ts";
import { addName, switchName } from "./step/rename.ts";
import { gravestoneName } from "./takeover-dead-root.ts";

/** Gives a node another name, while everything runs: first everybody learns the new name beside the old one, then everybody
 * forgets the old one. Its worker and its neighbours keep working, because at each moment both sides know the name in use.
 * Source: spec/cascade.md 9.8
 * @throws UsageError for an unknown node, a name in use, or a name that cannot be */
export function renameNodePlan(context: PlanContext, set: SetState, { oldName, newName }: Renaming): Plan {
  if (newName === "" || newName === oldName) throw new UsageError("the new name must be another name");
  const found = set.live.get(oldName) ?? set.live.get(newName);
  if (found === undefined) {
    const why = set.isKnown(oldName) ? "is dead or does not answer" : "is not known";
    throw new UsageError(`node "${oldName}" ${why}`, { hint: "See members." });
  }
  const isBegun = set.aliases.get(newName) === oldName || set.aliases.get(oldName) === newName;
  if (set.isKnown(oldName) && set.isKnown(newName) && !isBegun) {
    throw new UsageError(`Node '${newName}' already exists`, { hint: "See members." });
  }
  const findings: Finding[] = [...silentNeighbours(set, found), ...buried(set, oldName)];
  const renaming = { oldName, newName };
  // however far it has come, its steps are called by the old name
  const members = inOrder(set, found).map((member) =>
    member === found ? { ...member, nodeName: oldName } : member,
  );
  const steps = [
    ...members.map((member) => addName(context, member, renaming)),
    ...members.map((member) => switchName(context, member, renaming)),
  ];
  return { title: `rename-node ${oldName} to ${newName}`, findings, steps, workers: [] };
}

/** Those who use the name must be told directly; the root's events tell the others. */
function silentNeighbours(set: SetState, renamed: LiveMember): Finding[] {
  const { node, subscribers } = renamed;
  const neighbours = new Set([node.providerNode, ...subscribers.map(({ nodeName }) => nodeName)]);
  return [...set.silent.values()].map(({ nodeName, failure }) =>
    neighbours.has(nodeName)
      ? {
          kind: "refusal",
          text: `"${nodeName}" reads from or provides for "${renamed.nodeName}" and cannot be told${failure === null ? ": it is dead" : `: ${failure}`}`,
          hint: "Bring it back, or take it out with change-provider or drop-node first.",
        }
      : {
          kind: "warning",
          text: `"${nodeName}" cannot be told now; it learns the name from the queue, but not for its attributes and tables: run the command again when it is back`,
        },
  );
}

/** A former root is remembered by its name until it is resurrected. */
function buried(set: SetState, oldName: string): Finding[] {
  return [...set.live.values()]
    .filter(({ queue }) => queue?.positions.has(gravestoneName(oldName)) === true)
    .map(({ nodeName }) => ({
      kind: "refusal",
      text: `"${nodeName}" has a gravestone of "${oldName}", by which resurrect finds its place`,
      hint: `Run resurrect on "${oldName}" first, or drop it.`,
    }));
}

/** The node itself, its readers, others, and at last the root, whose event tells everybody that the old name is gone. */
function inOrder({ live }: SetState, renamed: LiveMember): LiveMember[] {
  const rank = (member: LiveMember) =>
    member.node.nodeType === "root"
      ? 3
      : member === renamed
        ? 0
        : member.node.providerNode === renamed.node.nodeName
          ? 1
          : 2;
  return [...live.values()].toSorted((a, b) => rank(a) - rank(b));
}
