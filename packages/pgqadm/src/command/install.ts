import { type Command, dryRunSwitch } from "@skytools/skytools";
import { installModules } from "@skytools/sql";

export const installCommand: Command = {
  name: "install",
  args: "",
  summary: "install PgQ into the database, or bring it up to date",
  pidfile: "none",
  switches: [dryRunSwitch],
  async run(job) {
    if (job.isDryRun) {
      job.stdout.write("install module pgq\n");
      return;
    }
    await installModules(await job.databases.get("db"), ["pgq"], job.log);
  },
};
