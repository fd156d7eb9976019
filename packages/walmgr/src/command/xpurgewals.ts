import { join } from "node:path";
import type { Command } from "@skytools/skytools";
import { listSets } from "../backup/set-info.ts";
import { isDryRun } from "../place/dry-run.ts";
import { settingsWithArchive } from "../place/settings.ts";
import { firstNeededSegment, removeWal, unneededWal } from "../retention/wal-purge.ts";

/** Source: spec/walmgr.md 5.15 */
export const xpurgewalsCommand: Command = {
  name: "xpurgewals",
  args: "",
  summary: "remove WAL from before the oldest backup set",
  pidfile: "none",
  run: async (job) => {
    const { completed, partial, fullBackup } = settingsWithArchive(job, "standby").paths;
    const needed = await firstNeededSegment(await listSets(fullBackup), completed);
    if (needed === undefined) {
      job.log.info("there is no backup set: all WAL stays");
      return;
    }
    for (const directory of [completed, partial]) {
      const names = await unneededWal(directory, needed);
      if (isDryRun(job)) for (const name of names) job.stdout.write(`remove ${join(directory, name)}\n`);
      else await removeWal(directory, names);
    }
  },
};
