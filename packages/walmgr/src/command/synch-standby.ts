import { type Command, Database } from "@skytools/skytools";
import { isDryRun } from "../place/dry-run.ts";
import { settingsFor } from "../place/settings.ts";
import { setSynchronousNames } from "../standby/synchronous-names.ts";

/** Source: spec/walmgr.md 5.12 */
export const synchStandbyCommand: Command = {
  name: "synch-standby",
  args: "[NAMES]",
  summary: "let commits wait for these standbys, or for none",
  pidfile: "none",
  run: async (job) => {
    const settings = settingsFor(job, "primary");
    const database = await Database.open(settings.need("master_db"), { autocommit: true });
    try {
      const statement = await setSynchronousNames(database, job.args[0] ?? "", isDryRun(job));
      if (isDryRun(job)) job.stdout.write(`${statement}\n`);
      else job.log.info(statement);
    } finally {
      await database.close();
    }
  },
};
