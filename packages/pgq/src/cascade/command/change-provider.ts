import { UsageError } from "@skytools/skytools";
import type { CascadeAdmin } from "../cascade-admin.ts";
import { changeProviderPlan } from "../plan/change-provider-plan.ts";
import type { PlanContext } from "../plan/plan-context.ts";
import { type PlannedRun, runPlanned } from "../plan/planned-command.ts";
import type { SetState } from "../plan/set-state.ts";

/** Makes a node (the local one, or admin.nodeName), or the consumer admin.consumerName, read from another node.
 * @throws UsageError, SkytoolsError CASCADE_REFUSED, CASCADE_TIMEOUT
 * Source: spec/cascade.md 9.5 */
export async function changeProvider(
  admin: CascadeAdmin,
  providerName: string,
  run: PlannedRun,
): Promise<void> {
  await runPlanned(admin, run, (context: PlanContext, set: SetState) => {
    const nodeName = admin.nodeName ?? set.localNode;
    const member = set.live.get(nodeName);
    if (member === undefined) {
      const why = set.isKnown(nodeName) ? "is dead or does not answer" : "is not known";
      throw new UsageError(`node "${nodeName}" ${why}`, { hint: "See members." });
    }
    const consumerName = admin.consumerName ?? member.node.workerName;
    if (member.consumers.every((consumer) => consumer.consumerName !== consumerName)) {
      throw new UsageError(`Consumer not found: ${consumerName} on node "${nodeName}"`);
    }
    return changeProviderPlan(context, set, { member, consumerName }, providerName);
  });
}
