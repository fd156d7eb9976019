import type { Command } from "@skytools/skytools";
import { BackupLock } from "../backup/backup-lock.ts";
import { isOnlyTold } from "../place/dry-run.ts";
import { settingsWithArchive } from "../place/settings.ts";

/** Source: spec/walmgr.md 5.15 */
export const xreleaseCommand: Command = {
  name: "xrelease",
  args: "",
  summary: "remove the backup lock, whoever holds it",
  pidfile: "none",
  run: async (job) => {
    if (isOnlyTold(job, "remove the backup lock")) return;
    await new BackupLock(settingsWithArchive(job, "standby").paths.completed).remove();
  },
};
