import { type Command, printJson } from "@skytools/skytools";
import { selectJobs } from "../selection.ts";
import { systemdUnit, unitName } from "../systemd-unit.ts";

/** Prints systemd units that run the same jobs; disabled ones are left out. */
export const generateSystemdCommand: Command = {
  name: "generate-systemd",
  args: "[JOB...]",
  summary: "prints systemd units for jobs",
  pidfile: "none",
  run: async (job) => {
    const { jobs, problemCount } = selectJobs(job, true);
    const units = jobs
      .filter((managed) => !managed.isDisabled)
      .map((managed) => ({ name: unitName(managed), text: systemdUnit(managed) }));
    if (job.json) printJson(job.stdout, units);
    else job.stdout.write(units.map(({ name, text }) => `# ${name}\n${text}`).join("\n"));
    return problemCount > 0 ? 1 : 0;
  },
};
