import type { CascadeAdmin } from "../cascade-admin.ts";
import { type PlannedRun, runPlanned } from "../plan/planned-command.ts";
import { resurrectPlan } from "../plan/resurrect/resurrect-plan.ts";

/** Brings the local node, a former root that was declared dead, back into the set as a paused branch, and sets aside in a file
 * what only it has.
 * @throws SkytoolsError CASCADE_REFUSED, DUMP_FILE
 * Source: spec/cascade.md section 12 */
export async function resurrect(
  admin: CascadeAdmin,
  options: { readonly dumpFile: string; readonly isMerging: boolean },
  run: PlannedRun,
): Promise<void> {
  const { job } = admin;
  const statistics = new Map<string, unknown>();
  await runPlanned(admin, run, (context, set) => resurrectPlan(context, set, { ...options, statistics }));
  if (job.isDryRun || statistics.size === 0) return;
  job.log.info("** Statistics **");
  for (const key of [...statistics.keys()].toSorted())
    job.log.info(`  ${key}: ${String(statistics.get(key))}`);
  job.log.info("** Resurrection done, worker paused **");
}
