import { type Command, dryRunSwitch } from "@skytools/skytools";
import { messageOfError } from "../message-of-error.ts";
import { forEachJob, selectJobs } from "../selection.ts";
import { signalJob } from "../signal-job.ts";

/** Lets jobs read their configuration again; exit code 1 when one is unknown or was not reached. */
export const reloadCommand: Command = {
  name: "reload",
  args: "[JOB...]",
  summary: "lets jobs read their configuration again",
  switches: [dryRunSwitch],
  pidfile: "own",
  run: async (job) => {
    const { jobs, problemCount } = selectJobs(job, false);
    const results = await forEachJob(job, jobs, async (managed) => {
      try {
        return (await signalJob(job, managed, "SIGHUP", "Reloading")) !== "failed";
      } catch (error) {
        job.log.error(`${managed.name}: ${messageOfError(error)}`);
        return false;
      }
    });
    return problemCount > 0 || results.includes(false) ? 1 : 0;
  },
};
