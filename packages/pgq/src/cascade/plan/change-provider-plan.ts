import { forgetElsewhere, moveConsumer } from "./move-consumer.ts";
import type { Finding, Plan, PlanStep } from "./plan.ts";
import { refuseLeaf, requireLive, silentFindings } from "./plan-checks.ts";
import { type ConsumerAt, isWorker, type PlanContext } from "./plan-context.ts";
import type { LiveMember, SetState } from "./set-state.ts";
import { resume } from "./step/resume.ts";

/** Gives a node, or a plain consumer on it, another provider. Run again after an interruption it goes on; run with the provider
 * that the node still has, it takes back what was begun. Source: spec/cascade.md 9.5 */
export function changeProviderPlan(
  context: PlanContext,
  set: SetState,
  at: ConsumerAt,
  providerName: string,
): Plan {
  const { member, consumerName } = at;
  const findings: Finding[] = silentFindings(set);
  const provider = requireLive(set, providerName, findings);
  const title = `change-provider of ${isWorker(at) ? member.nodeName : consumerName} to ${providerName}`;
  if (provider !== undefined) checkMove(set, at, provider, findings);
  const hasIt = currentProvider(at) === providerName;
  if (hasIt) {
    const text = `Consumer '${consumerName}' at node '${member.nodeName}' has already '${providerName}' as provider`;
    findings.push({ kind: "note", text });
  }
  const steps =
    provider === undefined
      ? []
      : hasIt
        ? tidyUp(context, set, at, providerName)
        : moveConsumer(context, set, at, provider);
  const workers = steps.length === 0 ? [] : [{ nodeName: member.nodeName, consumerName }];
  return { title, findings, steps, workers };
}

/** Only a move that was begun elsewhere shows that the pause is not somebody's wish. */
function tidyUp(context: PlanContext, set: SetState, at: ConsumerAt, providerName: string): PlanStep[] {
  const leftovers = forgetElsewhere(context, set, at, providerName);
  return leftovers.length === 0 ? [] : [resume(context, at), ...leftovers];
}

function currentProvider({ member, consumerName }: ConsumerAt): string | undefined {
  return member.consumers.find((each) => each.consumerName === consumerName)?.providerNode;
}

/** Refuses moves that cannot end well: from the root, to a leaf, in a circle, or to where the events are gone. */
export function checkMove(
  set: SetState,
  { member, consumerName }: ConsumerAt,
  provider: LiveMember,
  findings: Finding[],
): void {
  const { nodeName, node } = member;
  const refuse = (text: string, hint?: string) => findings.push({ kind: "refusal", text, hint });
  const isNodeWorker = node.workerName === consumerName;
  refuseLeaf(provider, findings);
  if (isNodeWorker && node.nodeType === "root") refuse(`node "${nodeName}" is the root, it has no provider`);
  if (isNodeWorker && provider.nodeName === nodeName) refuse("cannot subscribe to itself");
  if (isNodeWorker && set.upstreamOf(provider.nodeName).includes(nodeName)) {
    refuse(
      `"${provider.nodeName}" gets its events from "${nodeName}": they would feed each other`,
      `Give "${provider.nodeName}" another provider first.`,
    );
  }
  if (provider.node.nodeType === "root" && provider.queue?.isInsertDisabled === true) {
    refuse(
      `root "${provider.nodeName}" refuses events: a takeover of it was interrupted`,
      "Run that takeover again first.",
    );
  }
  const position = member.consumers.find((each) => each.consumerName === consumerName)?.lastTick;
  if (position !== undefined && provider.queue !== null && position < provider.queue.oldestTick) {
    refuse(
      `"${nodeName}" has finished tick ${position}; "${provider.nodeName}" has removed everything before ${provider.queue.oldestTick}`,
      "Choose another provider, or create the node anew.",
    );
  }
}
