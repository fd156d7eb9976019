import { type Command, dryRunSwitch } from "@skytools/skytools";
import { messageOfError } from "../message-of-error.ts";
import { forEachJob, selectJobs, timeoutMs } from "../selection.ts";
import { stopJob } from "../signal-job.ts";

/** Asks jobs to end after their round; exit code 1 when one is unknown, was not reached, or did not end in time. */
export const stopCommand: Command = {
  name: "stop",
  args: "[JOB...]",
  summary: "lets jobs end after their current round; -w waits for it",
  switches: [dryRunSwitch],
  pidfile: "own",
  run: async (job) => {
    const waitMs = job.flag("wait") ? timeoutMs(job) : undefined;
    const { jobs, problemCount } = selectJobs(job, false);
    const results = await forEachJob(job, jobs, async (managed) => {
      try {
        return await stopJob(job, managed, waitMs);
      } catch (error) {
        job.log.error(`${managed.name}: ${messageOfError(error)}`);
        return false;
      }
    });
    return problemCount > 0 || results.includes(false) ? 1 : 0;
  },
};
