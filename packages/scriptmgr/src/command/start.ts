import { type Command, dryRunSwitch } from "@skytools/skytools";
import { messageOfError } from "../message-of-error.ts";
import { forEachJob, selectJobs, timeoutMs } from "../selection.ts";
import { startJob } from "../start-job.ts";

/** Starts jobs that do not run; exit code 1 when one that should run does not. */
export const startCommand: Command = {
  name: "start",
  args: "[JOB...]",
  summary: "starts jobs; -w waits until they have their pidfiles",
  switches: [dryRunSwitch],
  pidfile: "own",
  run: async (job) => {
    const limitMs = timeoutMs(job);
    const { jobs, problemCount } = selectJobs(job, false);
    const results = await forEachJob(job, jobs, async (managed) => {
      try {
        return await startJob(job, managed, limitMs, job.flag("wait"));
      } catch (error) {
        job.log.error(`${managed.name}: ${messageOfError(error)}`);
        return false;
      }
    });
    return problemCount > 0 || results.includes(false) ? 1 : 0;
  },
};
