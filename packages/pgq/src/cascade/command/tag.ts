import type { CascadeAdmin } from "../cascade-admin.ts";
import { type PlannedRun, runPlanned } from "../plan/planned-command.ts";
import { tagPlan } from "../plan/tag-plan.ts";

/** Tells all members that a node is dead (nobody connects to it any more) or alive again.
 * @throws UsageError, SkytoolsError CASCADE_REFUSED
 * Source: spec/cascade.md 9.7 */
export async function tagNode(
  admin: CascadeAdmin,
  nodeName: string,
  isDead: boolean,
  run: PlannedRun,
): Promise<void> {
  if (!admin.job.isDryRun) {
    admin.job.log.info(`Tagging node '${nodeName}' as ${isDead ? "dead" : "alive"}`);
  }
  await runPlanned(admin, run, (context, set) => tagPlan(context, set, nodeName, isDead));
}
