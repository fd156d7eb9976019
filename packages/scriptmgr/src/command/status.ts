import { type Command, formatDuration, printJson } from "@skytools/skytools";
import { type JobStatus, jobStatus } from "../job-status.ts";
import { selectJobs } from "../selection.ts";

/** Shows how jobs are; exit code 1 when one that should run does not, or cannot be told. */
export const statusCommand: Command = {
  name: "status",
  args: "[JOB...]",
  summary: "shows which jobs run, and how they are",
  pidfile: "none",
  run: async (job) => {
    const { jobs, problemCount, catalog } = selectJobs(job, true);
    const statuses = jobs.map(jobStatus);
    if (job.json) {
      const problems = catalog.problems.map(({ message, hint }) => ({ message, hint }));
      printJson(job.stdout, { jobs: statuses, problems });
    } else {
      for (const status of statuses) job.stdout.write(`${statusLine(status)}\n`);
    }
    const down = statuses.filter((each) => !each.isDisabled && ["STOPPED", "ERROR"].includes(each.state));
    if (down.length > 0) {
      const names = down.map((each) => each.job).join(", ");
      job.log.error(`${down.length} of ${statuses.length} jobs do not run: ${names}`);
    }
    return down.length > 0 || problemCount > 0 ? 1 : 0;
  },
};

/** State, service and job as scripts know them, then what we know beyond. */
function statusLine(status: JobStatus): string {
  const { state, service, job, isDisabled, pid, uptimeSeconds, user, health, lastError, problem } = status;
  const more = [
    ...(isDisabled ? ["(disabled)"] : []),
    ...(pid === undefined ? [] : [`pid ${pid}`]),
    ...(uptimeSeconds === undefined ? [] : [`up ${formatDuration(uptimeSeconds)}`]),
    ...(pid === undefined || user === undefined ? [] : [`user ${user}`]),
    ...(health === "failing" ? [`failing: ${lastError}`] : []),
    ...(problem === undefined ? [] : [problem]),
  ];
  return ` ${state.padEnd(8)} [${service}] ${job}${more.length === 0 ? "" : `  ${more.join(", ")}`}`;
}
