import type { Finding } from "./plan.ts";
import type { LiveMember, SetState } from "./set-state.ts";

/** A node that must be asked, or why it cannot be: another one may be taken in its place, but it cannot be left out. */
export function requireLive(set: SetState, nodeName: string, findings: Finding[]): LiveMember | undefined {
  const member = set.live.get(nodeName);
  if (member !== undefined) return member;
  const silent = set.silent.get(nodeName);
  findings.push(
    silent === undefined
      ? { kind: "refusal", text: `Unknown node: ${nodeName}`, hint: "See members." }
      : silent.failure === null
        ? {
            kind: "refusal",
            text: `node "${nodeName}" is ${silent.isAssumedDead ? "treated as dead" : "dead"}`,
            hint: silent.isAssumedDead ? `Say it without --dead=${nodeName}.` : "tag-alive takes that back.",
          }
        : {
            kind: "refusal",
            text: `node "${nodeName}" does not answer: ${silent.failure}`,
            hint: "Bring it back, or choose another provider.",
          },
  );
  return undefined;
}

/** Members that could not be asked, or are not to be in this run, and are not tagged dead: what they hold is not known.
 * @param knownDead a node of which that is no news */
export function silentFindings(set: SetState, knownDead?: string): Finding[] {
  return [...set.silent.values()]
    .filter(
      ({ failure, isAssumedDead, nodeName }) => (failure !== null || isAssumedDead) && nodeName !== knownDead,
    )
    .map(({ nodeName, failure }) => ({
      kind: "warning",
      text: `node "${nodeName}" ${failure === null ? "is treated as dead" : "does not answer"} and is left out, run this again when it is back${failure === null ? "" : `: ${failure}`}`,
      leftOut: { nodeName, reason: "run this again when it is back" },
    }));
}

/** Members of which nobody knows whether they have become the root in the place of another. One that was left out of a takeover
 * knows nothing of it, so only the administrator can say that a node which does not answer is not the root.
 * @param oldName the root whose place it is */
export function possibleRoots(set: SetState, oldName: string): Finding[] {
  const unknown = [...set.silent.values()].filter(
    ({ failure, nodeName }) => failure !== null && nodeName !== oldName,
  );
  if (unknown.length === 0) return [];
  const names = unknown.map(({ nodeName }) => `"${nodeName}"`).join(", ");
  const failures = unknown.map(({ failure }) => failure).join("; ");
  const switches = unknown.map(({ nodeName }) => `--dead=${nodeName}`).join(" ");
  return [
    {
      kind: "refusal",
      text: `${names} ${unknown.length === 1 ? "does" : "do"} not answer and may be the root by now: ${failures}`,
      hint: `Bring ${unknown.length === 1 ? "it" : "them"} back, or, where it is certain that ${unknown.length === 1 ? "it has" : "none has"} not taken over from "${oldName}", say so with ${switches}. Otherwise there would be two roots that both take events.`,
    },
  ];
}

/** Members that are paused and stay so: somebody wanted that, or a command that was killed has left them. */
export function pausedFindings(set: SetState, handled: readonly LiveMember[]): Finding[] {
  return [...set.live.values()]
    .filter((member) => member.node.isWorkerPaused && !handled.includes(member))
    .map(({ nodeName, node: { workerName } }) => ({
      kind: "warning",
      text: `worker "${workerName}" of "${nodeName}" is paused, perhaps by a command that was killed: resume lets it go on`,
      leftOut: { nodeName, reason: "it is paused" },
    }));
}

/** A leaf keeps no queue: it can neither provide nor become the root. */
export function refuseLeaf({ node }: LiveMember, findings: Finding[]): void {
  if (node.nodeType !== "leaf") return;
  findings.push({
    kind: "refusal",
    text: `Cannot subscribe to leaf node "${node.nodeName}"`,
    hint: "A leaf keeps no queue; choose a branch.",
  });
}

/** What a node's worker has failed with: it may not get where the plan needs it. */
export function workerTrouble({ node, consumers }: LiveMember): Finding[] {
  const worker = consumers.find(({ consumerName }) => consumerName === node.workerName);
  if (worker?.currentError == null) return [];
  return [
    {
      kind: "warning",
      text: `worker "${node.workerName}" of "${node.nodeName}" fails: ${worker.currentError}`,
    },
  ];
}

/** What a takeover says of an old node that is below the one which takes over: that is how a takeover ends. */
export function isBelowAlready(old: LiveMember, taker: LiveMember): Finding {
  const what = `${old.node.nodeType} "${old.nodeName}" gets its events from "${taker.nodeName}" already`;
  const text =
    old.node.nodeType === "leaf"
      ? `${what}, and nobody gets events from a leaf: it has no place to take over`
      : `${what}: the place is taken over`;
  return { kind: "note", text };
}
