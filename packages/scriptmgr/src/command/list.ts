import { type Command, printJson, renderTable } from "@skytools/skytools";
import { selectJobs } from "../selection.ts";

/** Shows what is known about jobs without asking whether they run. */
export const listCommand: Command = {
  name: "list",
  aliases: ["info", "show-config"],
  args: "[JOB...]",
  summary: "shows the jobs that the configuration files describe",
  pidfile: "none",
  run: async (job) => {
    const { jobs, problemCount } = selectJobs(job, true);
    const rows = jobs.map(({ name, service, configFile, pidfile, logfile, isDisabled }) => ({
      job: name,
      service: service.name,
      user: service.user ?? null,
      isDisabled,
      configFile,
      pidfile: pidfile ?? null,
      logfile: logfile ?? null,
      command: service.command.join(" "),
      cwd: service.workingDirectory,
    }));
    if (job.json) printJson(job.stdout, rows);
    else job.stdout.write(renderTable(rows));
    return problemCount > 0 ? 1 : 0;
  },
};
