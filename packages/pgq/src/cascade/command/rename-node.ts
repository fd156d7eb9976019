import type { CascadeAdmin, Renaming } from "../cascade-admin.ts";
import { type PlannedRun, runPlanned } from "../plan/planned-command.ts";
import { renameNodePlan } from "../plan/rename-node-plan.ts";

/** Gives a node another name on all members.
 * @throws UsageError, SkytoolsError CASCADE_REFUSED
 * Source: spec/cascade.md 9.8 */
export async function renameCascadeNode(
  admin: CascadeAdmin,
  renaming: Renaming,
  run: PlannedRun,
): Promise<void> {
  await runPlanned(admin, run, (context, set) => renameNodePlan(context, set, renaming));
}
