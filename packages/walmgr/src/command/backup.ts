import { type Command, formatBytes, type Job, maskConnectString, printJson } from "@skytools/skytools";
import { backupConninfo, takeBackup } from "../backup/take-backup.ts";
import { engineOf } from "../engine/engine.ts";
import { isDryRun } from "../place/dry-run.ts";
import { settingsFor } from "../place/settings.ts";

/** Source: spec/walmgr.md 5.3, 5.4 */
export const backupCommand: Command = {
  name: "backup",
  args: "",
  summary: "take a base backup into the archive, then remove what retention lets go",
  pidfile: "none",
  switches: [
    { flags: "--incremental", doc: "only what has changed since the newest set (PostgreSQL 17 and newer)" },
  ],
  run: backup,
};

async function backup(job: Job): Promise<number> {
  const settings = settingsFor(job);
  const isIncremental = job.flag("incremental");
  const engine = engineOf(settings);
  const from = maskConnectString(backupConninfo(settings));
  if (isDryRun(job)) {
    const steps =
      engine === undefined
        ? [
            `take a base backup of ${from}`,
            `write it to ${settings.paths.fullBackup}.new, check it, make it the newest set`,
            "remove backup sets and WAL that are not needed any more",
          ]
        : [engine.commands.backup(isIncremental ? "incremental" : "full").join(" ")];
    for (const step of steps) job.stdout.write(`${step}\n`);
    return 0;
  }
  if (engine !== undefined) return engine.run(engine.commands.backup(isIncremental ? "incremental" : "full"));
  const startedMs = performance.now();
  const { info, expiry } = await takeBackup(job, settings, { isIncremental });
  const seconds = (performance.now() - startedMs) / 1000;
  const rate = `${formatBytes(info.sizeBytes)}, ${formatBytes(info.sizeBytes / seconds)}/s`;
  job.log.info(`Backup ${info.id} is complete: ${rate}, WAL from ${info.firstSegment}`);
  const removed = expiry.sets.length + expiry.wal.length;
  if (removed > 0) job.log.info(`Removed ${expiry.sets.length} backup sets, ${expiry.wal.length} WAL files`);
  if (job.json) printJson(job.stdout, { backup: info, expired: expiry });
  return 0;
}
