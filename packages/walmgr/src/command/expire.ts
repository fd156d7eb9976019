import { type Command, printJson } from "@skytools/skytools";
import { BackupLock } from "../backup/backup-lock.ts";
import { engineOf } from "../engine/engine.ts";
import { isDryRun, isOnlyTold } from "../place/dry-run.ts";
import { settingsFor, settingsWithArchive } from "../place/settings.ts";
import { expire } from "../retention/expire.ts";

/** Source: spec/walmgr.md 12.1 */
export const expireCommand: Command = {
  name: "expire",
  args: "",
  summary: "remove the backup sets and the WAL that nobody needs any more",
  pidfile: "none",
  run: async (job) => {
    const engine = engineOf(settingsFor(job));
    if (engine !== undefined) {
      const words = engine.commands.expire();
      return isOnlyTold(job, words.join(" ")) ? 0 : engine.run(words);
    }
    const settings = settingsWithArchive(job);
    const lock = new BackupLock(settings.paths.completed);
    if (!isDryRun(job)) await lock.take();
    try {
      const expiry = await expire(job, settings);
      if (job.json) printJson(job.stdout, expiry);
      else {
        const { sets, wal, partialWal } = expiry;
        const verb = isDryRun(job) ? "remove" : "removed";
        for (const name of [...sets, ...wal, ...partialWal]) job.stdout.write(`${verb} ${name}\n`);
      }
    } finally {
      await lock.release();
    }
    return 0;
  },
};
