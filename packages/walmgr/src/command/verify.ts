import { type Command, formatBytes, type Job, ProgressDisplay, printJson } from "@skytools/skytools";
import { auditContents, auditNames } from "../audit/audit-archive.ts";
import { verifySet } from "../backup/read-set.ts";
import { engineOf } from "../engine/engine.ts";
import { settingsFor } from "../place/settings.ts";
import { runOnSlave } from "../remote/run-on-slave.ts";

/** Source: spec/walmgr.md 9, 12.1 */
export const verifyCommand: Command = {
  name: "verify",
  args: "",
  summary: "read the whole archive and all backup sets again; name what is missing or damaged",
  pidfile: "none",
  switches: [{ flags: "--wal-only", doc: "leave the backup sets out" }],
  run: verify,
};

async function verify(job: Job): Promise<number> {
  const settings = settingsFor(job);
  const engine = engineOf(settings);
  if (engine !== undefined) return engine.run(engine.commands.verify());
  if (settings.remote !== undefined) {
    const words = ["verify", ...(job.flag("walOnly") ? ["--wal-only"] : []), ...(job.json ? ["--json"] : [])];
    return runOnSlave(job, settings.remote, words);
  }
  const audit = await auditNames(settings);
  const display = new ProgressDisplay({ line: (text) => job.log.info(text) });
  const total = audit.files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const tracker = display.add("WAL", { bytes: total });
  let bytes = 0;
  const damaged = await auditContents(settings, audit.files, (size) => {
    bytes += size;
    tracker.update({ bytes });
  });
  tracker.end();
  const sets = job.flag("walOnly") ? [] : audit.sets;
  const ofSets: { name: string; problems: readonly string[] }[] = [];
  for (const set of sets) {
    const { sizeBytes } = set.info;
    const progress = display.add(set.name, { bytes: sizeBytes });
    ofSets.push({ name: set.name, problems: set.info.serverVersion === 0 ? [] : await verifySet(set) });
    progress.update({ bytes: sizeBytes });
    progress.end();
  }
  display.stop();
  const problems = [
    ...audit.problems,
    ...damaged,
    ...ofSets.flatMap(({ name, problems: found }) => found.map((problem) => `${name}: ${problem}`)),
  ];
  if (job.json)
    printJson(job.stdout, {
      files: audit.files.length,
      bytes: total,
      sets: ofSets,
      gaps: audit.gaps,
      problems,
    });
  else {
    for (const problem of problems) job.stdout.write(`${problem}\n`);
    job.stdout.write(
      `${audit.files.length} WAL files (${formatBytes(total)}), ${sets.length} backup sets: ` +
        `${problems.length === 0 ? "all good" : `${problems.length} problems`}\n`,
    );
  }
  return problems.length === 0 ? 0 : 1;
}
