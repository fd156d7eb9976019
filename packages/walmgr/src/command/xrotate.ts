import type { Command } from "@skytools/skytools";
import { makeRoom } from "../backup/rotate-sets.ts";
import { isOnlyTold } from "../place/dry-run.ts";
import { settingsWithArchive } from "../place/settings.ts";

/** Source: spec/walmgr.md 5.15 */
export const xrotateCommand: Command = {
  name: "xrotate",
  args: "",
  summary: "make room for a new backup set; the ones that retention keeps are renamed",
  pidfile: "none",
  run: async (job) => {
    if (isOnlyTold(job, "rename the backup sets")) return;
    await makeRoom(settingsWithArchive(job, "standby").paths.fullBackup);
  },
};
