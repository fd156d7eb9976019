import { type Command, type Job, printJson, UsageError } from "@skytools/skytools";
import { type Settings, settingsFor } from "../place/settings.ts";
import { runOnSlave } from "../remote/run-on-slave.ts";
import { removeDrafts } from "../retention/wal-purge.ts";
import { type Finding, judge } from "../status/findings.ts";
import { metricsText } from "../status/metrics.ts";
import { collectStatus } from "../status/status.ts";

/** Exit codes are those of monitoring plugins: 0 ok, 1 warning, 2 critical.
 * Source: spec/walmgr.md 12.1 */
export const checkCommand: Command = {
  name: "check",
  args: "",
  summary: "judge archive, backups, receiver, slots and space; exit code 0 ok, 1 warning, 2 critical",
  pidfile: "none",
  switches: [
    { flags: "--metrics", doc: "OpenMetrics text" },
    { flags: "--fix", doc: "remove what interrupted calls left in the archive" },
  ],
  run: check,
};

async function check(job: Job): Promise<number> {
  const settings = settingsFor(job);
  if (job.flag("fix")) await fix(job, settings);
  const status = await collectStatus(settings);
  const findings = judge(settings, status);
  if (job.flag("metrics")) job.stdout.write(metricsText(status, findings));
  else if (job.json) printJson(job.stdout, { severity: worst(findings), findings });
  else
    for (const { check: what, severity, text } of findings)
      job.stdout.write(`${severity.toUpperCase()} ${what}: ${text}\n`);
  return ["ok", "warning", "critical"].indexOf(worst(findings));
}

function worst(findings: readonly Finding[]): Finding["severity"] {
  return findings[0]?.severity ?? "ok";
}

async function fix(job: Job, settings: Settings): Promise<void> {
  if (!settings.isEngineOwn) throw new UsageError("check --fix is for walmgr's own archive, not an engine's");
  if (settings.remote !== undefined) {
    await runOnSlave(job, settings.remote, ["check", "--fix"]);
    return;
  }
  // Calls that run right now write drafts too.
  const youngestMs = 10_000;
  for (const directory of [settings.paths.completed, settings.paths.partial]) {
    for (const name of await removeDrafts(directory, youngestMs))
      job.log.info(`removed ${directory}/${name}`);
  }
}
