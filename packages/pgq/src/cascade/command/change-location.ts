import type { CascadeAdmin } from "../cascade-admin.ts";
import { changeLocationPlan, type Relocation } from "../plan/change-location-plan.ts";
import { type PlannedRun, runPlanned } from "../plan/planned-command.ts";

/** Tells all members where a node is reached now: its database has moved, or its server has another address.
 * @throws UsageError, SkytoolsError CASCADE_REFUSED */
export async function changeLocation(
  admin: CascadeAdmin,
  relocation: Relocation,
  run: PlannedRun,
): Promise<void> {
  await runPlanned(admin, run, (context, set) => changeLocationPlan(context, set, relocation));
}
