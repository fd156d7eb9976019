import { type Command, dryRunSwitch } from "@skytools/skytools";
import { messageOfError } from "../message-of-error.ts";
import { forEachJob, selectJobs, timeoutMs } from "../selection.ts";
import { stopJob } from "../signal-job.ts";
import { startJob } from "../start-job.ts";

/** Stops jobs, waits for their end and starts them; what does not end in time is not started a second time. */
export const restartCommand: Command = {
  name: "restart",
  args: "[JOB...]",
  summary: "stops jobs, waits for their end, and starts them",
  switches: [dryRunSwitch],
  pidfile: "own",
  run: async (job) => {
    const limitMs = timeoutMs(job);
    const { jobs, problemCount } = selectJobs(job, false);
    const results = await forEachJob(job, jobs, async (managed) => {
      try {
        if (!(await stopJob(job, managed, limitMs))) return false;
        return await startJob(job, managed, limitMs, job.flag("wait"));
      } catch (error) {
        job.log.error(`${managed.name}: ${messageOfError(error)}`);
        return false;
      }
    });
    return problemCount > 0 || results.includes(false) ? 1 : 0;
  },
};
