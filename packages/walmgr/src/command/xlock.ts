import { type Command, UsageError } from "@skytools/skytools";
import { BackupLock } from "../backup/backup-lock.ts";
import { isOnlyTold } from "../place/dry-run.ts";
import { settingsWithArchive } from "../place/settings.ts";

/** Source: spec/walmgr.md 5.15 */
export const xlockCommand: Command = {
  name: "xlock",
  args: "[PID]",
  summary: "take the backup lock; prints its holder and fails when it is taken",
  pidfile: "none",
  run: async (job) => {
    if (isOnlyTold(job, "take the backup lock")) return 0;
    const lock = new BackupLock(settingsWithArchive(job, "standby").paths.completed);
    const holder = await lock.liveHolder();
    if (holder !== undefined) {
      if (holder.pid > 0) job.stdout.write(`${holder.pid}\n`);
      return 1;
    }
    const pid = job.args[0];
    if (pid !== undefined && !/^[1-9]\d{0,9}$/.test(pid))
      throw new UsageError(`"${pid}" is not a process id`);
    // The number is a process of the primary, which cannot be looked at from here.
    await lock.takeForOther(Number(pid ?? 0));
    return 0;
  },
};
