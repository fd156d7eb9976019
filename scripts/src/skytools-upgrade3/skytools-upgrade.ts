import {
  Database,
  dryRunSwitch,
  type Job,
  type Program,
  printJson,
  renderTable,
  SkytoolsError,
  skytoolsVersion,
  UsageError,
} from "@skytools/skytools";
import { installModules } from "@skytools/sql";
import {
  type DatabaseTarget,
  databaseTargets,
  targetArgs,
  targetSwitches,
} from "../database-target/database-targets.ts";
import { type ModulePlan, planUpgrade } from "./module-plan.ts";
import { checkOldTicker } from "./old-ticker.ts";

/** Brings the server-side modules of databases up to date, whichever release from 2.1 on they come from.
 * Source: spec/scripts.md section 11; README.md of @skytools/sql, "Over the originals" */
export const skytoolsUpgrade: Program = {
  service: "skytools_upgrade3",
  version: skytoolsVersion,
  summary: "brings PgQ, cascaded queues and Londiste in databases up to date, in place",
  hasConfigFile: false,
  args: targetArgs,
  config: [],
  switches: [
    ...targetSwitches,
    { flags: "--force", doc: "apply modules of this very release again too; do not look for an old ticker" },
    { flags: "--not-really", doc: "same as --dry-run" },
    {
      flags: "--lock-timeout <seconds>",
      doc: "give up on a database when a lock takes longer; its sessions wait behind ours meanwhile",
    },
    dryRunSwitch,
  ],
  helpEnd: "Afterwards, skytools_doctor3 says whether everything is as it should be.",
  run,
};

/** What became of one module of one database. */
interface ReportLine {
  readonly database: string;
  readonly module: string;
  readonly installed: string;
  readonly shipped: string;
  readonly result: "upgraded" | "would upgrade" | "current" | "newer" | "too old" | "left" | "failed";
  readonly note: string;
}

async function run(job: Job): Promise<number> {
  const lockTimeout = job.option("lockTimeout");
  if (lockTimeout !== undefined && !(Number(lockTimeout) > 0)) {
    throw new UsageError(`--lock-timeout: "${lockTimeout}" is not a number of seconds`, { exitCode: 2 });
  }
  const lines: ReportLine[] = [];
  for (const target of await databaseTargets(job)) lines.push(...(await upgradeDatabase(job, target)));
  if (job.json) printJson(job.stdout, lines);
  else if (lines.length === 0) job.stdout.write("no module found\n");
  else job.stdout.write(renderTable(lines).replace(/\n+$/, "\n"));
  return lines.some(({ result }) => ["failed", "newer", "too old"].includes(result)) ? 1 : 0;
}

/** One database, in one transaction. What goes wrong with it is reported, and the next one has its turn. */
async function upgradeDatabase(job: Job, { name, connstr }: DatabaseTarget): Promise<ReportLine[]> {
  const lineOf = ({ module, installed, shipped, decision, note }: ModulePlan): ReportLine => {
    const result = decision === "upgrade" ? (isDry(job) ? "would upgrade" : "upgraded") : decision;
    return { database: name, module, installed, shipped, result, note };
  };
  let plans: readonly ModulePlan[] = [];
  try {
    await using db = await Database.open(connstr, { autocommit: true, applicationName: job.name });
    plans = await planUpgrade(db, job.flag("force"));
    for (const { note } of plans) if (note !== "") job.log.info(`${name}: ${note}`);
    const wanted = plans.filter(({ decision }) => decision === "upgrade").map(({ module }) => module);
    if (wanted.length === 0) return plans.map(lineOf);
    if (!job.flag("force")) await checkOldTicker(db, plans);
    if (isDry(job)) return plans.map(lineOf);
    const lockTimeout = job.option("lockTimeout");
    if (lockTimeout !== undefined) {
      await db.query("select set_config('lock_timeout', $1, false)", [`${Number(lockTimeout) * 1000}ms`]);
    }
    await installModules(db, wanted, job.log);
    return plans.map(lineOf);
  } catch (error) {
    if (!(error instanceof SkytoolsError)) throw error;
    job.log.error(`${name}: ${error.message}`, error.hint === undefined ? {} : { hint: error.hint });
    const failed = plans.filter(({ decision }) => decision === "upgrade");
    if (failed.length === 0) {
      return [
        { database: name, module: "-", installed: "-", shipped: "-", result: "failed", note: error.message },
      ];
    }
    return failed.map((plan) => ({ ...lineOf(plan), result: "failed", note: error.message }));
  }
}

function isDry(job: Job): boolean {
  return job.isDryRun || job.flag("notReally");
}
