import type { Command } from "@skytools/skytools";
import { BackupService } from "../backup/serve-backup.ts";
import { setOperations } from "../backup/serve-sets.ts";
import { settingsWithArchive } from "../place/settings.ts";
import { serve } from "../remote/serve.ts";

/** The other end of a connection by ssh: not for people. */
export const xserveCommand: Command = {
  name: "xserve",
  args: "",
  summary: "answer the requests of walmgr on another host, on standard input",
  pidfile: "none",
  hidden: true,
  run: async (job) => {
    const settings = settingsWithArchive(job, "standby");
    const backups = new BackupService(job, settings);
    try {
      const operations = new Map([...backups.operations(), ...setOperations(settings.paths.fullBackup)]);
      await serve(job, settings.localArchive(), operations);
    } finally {
      await backups.close();
    }
  },
};
