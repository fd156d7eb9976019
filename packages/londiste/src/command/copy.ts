import type { Command, Job } from "@skytools/skytools";
import { CopyProcess } from "../copy/copy-process.ts";
import { fullName } from "../names.ts";

/** What the worker starts for a table; by hand, it restarts a copy whose worker is not running.
 * Source: spec/londiste.md 8.1 */
export const copyCommand: Command = {
  name: "copy",
  args: "TABLE",
  summary: "copy one table and hand it over to the worker",
  pidfile: "own",
  pidfileSuffix: ([table]) => `.copy.${fullName(table ?? "").replaceAll("/", "%2F")}`,
  hidden: true,
  onInterrupt: "finish",
  run: copy,
};

async function copy(job: Job): Promise<number> {
  try {
    return await new CopyProcess(job, fullName(job.args[0] ?? "")).run();
  } catch (error) {
    if (process.connected) process.send?.(error instanceof Error ? error.message : String(error));
    throw error;
  }
}
