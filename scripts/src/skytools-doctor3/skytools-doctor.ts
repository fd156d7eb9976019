import { type Job, type Program, printJson, skytoolsVersion } from "@skytools/skytools";
import type { ModuleExamination } from "@skytools/sql";
import { databaseTargets, targetArgs, targetSwitches } from "../database-target/database-targets.ts";
import { type DatabaseExamination, examineDatabase } from "./database-examination.ts";
import { examinationText } from "./examination-text.ts";

/** Something could not be looked at; something is not as shipped. */
const exitCodes = { unseen: 1, unlike: 3 } as const;

/** Compares the server-side modules of databases with what this release ships. Reads only, also on a standby.
 * Source: README.md of @skytools/scripts, "The doctor" */
export const skytoolsDoctor: Program = {
  service: "skytools_doctor3",
  version: skytoolsVersion,
  summary: "says what is missing, different or extra in installed modules, and what mends it",
  hasConfigFile: false,
  args: targetArgs,
  config: [],
  switches: targetSwitches,
  helpEnd: `Exit code: 0 all as shipped, ${exitCodes.unseen} something could not be looked at, 2 wrong switches, ${exitCodes.unlike} something is not as shipped.`,
  run,
};

async function run(job: Job): Promise<number> {
  const all: DatabaseExamination[] = [];
  for (const target of await databaseTargets(job)) all.push(await examineDatabase(job, target));
  if (job.json) printJson(job.stdout, all);
  else for (const each of all) job.stdout.write(examinationText(each, job.isVerbose));
  if (all.some(({ error }) => error !== undefined)) return exitCodes.unseen;
  return all.some(({ modules }) => modules.some(isUnlike)) ? exitCodes.unlike : 0;
}

/** What somebody added is told, but does no harm. */
function isUnlike({ release, findings }: ModuleExamination): boolean {
  const isHarmless = ({ state, kind }: ModuleExamination["findings"][number]) =>
    state === "extra" && kind !== "grant";
  return release !== "current" || !findings.every(isHarmless);
}
