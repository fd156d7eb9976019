import type { CascadeAdmin } from "../cascade-admin.ts";
import { type PlannedRun, runPlanned } from "../plan/planned-command.ts";
import { type TakeoverOptions, takeoverPlan } from "../plan/takeover-plan.ts";

/** Lets a node take the place of another, live or dead.
 * @throws UsageError, SkytoolsError CASCADE_REFUSED, CASCADE_TIMEOUT
 * Source: spec/cascade.md section 10 */
export async function takeover(
  admin: CascadeAdmin,
  options: TakeoverOptions,
  run: PlannedRun,
): Promise<void> {
  admin.job.log.info(`old: ${options.oldName}`);
  await runPlanned(admin, run, (context, set) => takeoverPlan(context, set, options));
}
