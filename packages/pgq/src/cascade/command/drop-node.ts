import type { CascadeAdmin } from "../cascade-admin.ts";
import { dropNodePlan } from "../plan/drop-node-plan.ts";
import { type PlannedRun, runPlanned } from "../plan/planned-command.ts";

/** Removes a node from the set: from its own database, queue included, and from every member. Members that are dead, or do not
 * answer, are passed over with a warning.
 * @throws UsageError for an unknown node, SkytoolsError CASCADE_REFUSED while it has subscribers
 * Source: spec/cascade.md 9.6 */
export async function dropCascadeNode(admin: CascadeAdmin, nodeName: string, run: PlannedRun): Promise<void> {
  await runPlanned(admin, run, (context, set) => dropNodePlan(context, set, nodeName));
}
