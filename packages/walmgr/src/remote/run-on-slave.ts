import type { Job } from "@skytools/skytools";
import { isDryRun } from "../place/dry-run.ts";
import { type RemoteHost, runRemote } from "./remote-program.ts";

/** Lets walmgr on the archive's host do a command; its results and its log come out here.
 * @returns its exit code
 * @throws WalError exit code 2 when the host cannot be reached */
export async function runOnSlave(job: Job, remote: RemoteHost, args: readonly string[]): Promise<number> {
  const words = isDryRun(job) ? [...args, "--dry-run"] : args;
  const { code, stdout, stderr } = await runRemote(remote, words);
  for (const line of stderr.split("\n").filter((each) => each !== ""))
    job.log.info(`${remote.host}: ${line}`);
  job.stdout.write(stdout);
  return code;
}
