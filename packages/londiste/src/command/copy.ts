import type { Command } from "@skytools/skytools";
import { copyPidfileSuffix } from "../copy/copy-pidfile.ts";
import { CopyProcess } from "../copy/copy-process.ts";
import { fullName } from "../names.ts";

/** By hand: goes on with a copy whose worker is not running.
 * Source: spec/londiste.md 8.1 */
export const copyCommand: Command = {
  name: "copy",
  args: "TABLE",
  summary: "copy one table and hand it over to the worker",
  pidfile: "own",
  pidfileSuffix: ([table]) => copyPidfileSuffix(table ?? ""),
  hidden: true,
  onInterrupt: "finish",
  run: (job) => new CopyProcess(job, fullName(job.args[0] ?? "")).run(),
};
