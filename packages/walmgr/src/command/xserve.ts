import type { Command } from "@skytools/skytools";
import { BackupService } from "../backup/serve-backup.ts";
import { settingsFor } from "../place/settings.ts";
import { serve } from "../remote/serve.ts";

/** The other end of a connection by ssh: not for people. */
export const xserveCommand: Command = {
  name: "xserve",
  args: "",
  summary: "answer the requests of walmgr on the primary, on standard input",
  pidfile: "none",
  hidden: true,
  run: async (job) => {
    const settings = settingsFor(job, "standby");
    const backups = new BackupService(job, settings);
    try {
      await serve(job, settings.localArchive(), backups.operations());
    } finally {
      await backups.close();
    }
  },
};
