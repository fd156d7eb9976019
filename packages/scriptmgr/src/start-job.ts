import { setTimeout as sleep } from "node:timers/promises";
import type { Job } from "@skytools/skytools";
import { findProcess } from "./job-process.ts";
import type { ManagedJob } from "./managed-job.ts";
import { commandAs, runCommand } from "./run-as.ts";

const pollMs = 100;

/** Starts a job in the background, unless it runs already, is disabled, or has no pidfile.
 * @param isWaiting also waits until its pidfile names a live process
 * @returns false when it should run and does not
 * Source: spec/scripts.md 1.3 */
export async function startJob(
  { log, isDryRun }: Job,
  managed: ManagedJob,
  timeoutMs: number,
  isWaiting: boolean,
): Promise<boolean> {
  const { name, service, configFile, pidfile } = managed;
  if (managed.isDisabled) {
    log.info(`Skipping ${name}, it is disabled`);
    return true;
  }
  if (pidfile === undefined) {
    log.warn(`${name} has no pidfile configured, not started`);
    return true;
  }
  const found = findProcess(managed);
  if (found.state === "running") {
    log.warn(`${name} is running already (pid ${found.pid})`);
    return true;
  }
  if (found.state === "stopped" && found.hasStalePidfile)
    log.info(`${name}: ignoring stale pidfile ${pidfile}`);
  const command = commandAs(service.user, [...service.command, configFile, ...service.args, "-d"]);
  log.info(`Starting ${name}`);
  log.debug(`${name}: cd ${service.workingDirectory}; ${command.join(" ")}`);
  if (isDryRun) return true;
  const { exitCode, output } = await runCommand(command, service.workingDirectory, timeoutMs);
  if (exitCode !== 0) {
    const how = exitCode === undefined ? "cannot be started" : `failed with exit code ${exitCode}`;
    log.error(`${name} ${how}${output === "" ? "" : `: ${output.split("\n").slice(-5).join("\n")}`}`);
    return false;
  }
  if (!isWaiting || (await comesUp(managed, timeoutMs))) return true;
  log.error(`${name} was started, but no process has its pidfile ${pidfile} after ${timeoutMs / 1000} s`);
  return false;
}

async function comesUp(managed: ManagedJob, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (findProcess(managed).state !== "running") {
    if (performance.now() > deadline) return false;
    await sleep(pollMs);
  }
  return true;
}
