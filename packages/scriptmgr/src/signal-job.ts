import { setTimeout as sleep } from "node:timers/promises";
import type { Job } from "@skytools/skytools";
import { findProcess } from "./job-process.ts";
import type { ManagedJob } from "./managed-job.ts";
import { commandAs, runCommand } from "./run-as.ts";

const pollMs = 100;
const killTimeoutMs = 10_000;

/** `sent`: the process got the signal; `absent`: nothing runs; `failed`: logged */
export type SignalOutcome = "sent" | "absent" | "failed";

/** Sends a signal to the process of a job, and to no other.
 * @param verb for the log: "Stopping" */
export async function signalJob(
  { log, isDryRun }: Job,
  managed: ManagedJob,
  signal: "SIGINT" | "SIGHUP",
  verb: string,
): Promise<SignalOutcome> {
  const { name } = managed;
  if (managed.isDisabled) {
    log.info(`Skipping ${name}, it is disabled`);
    return "absent";
  }
  const found = findProcess(managed);
  if (found.state === "unknown") {
    log.warn(`${name} has no pidfile configured, it cannot be found`);
    return "absent";
  }
  if (found.state === "stopped") {
    log.info(`${name} is not running`);
    return "absent";
  }
  log.info(`${verb} ${name} (pid ${found.pid})`);
  if (isDryRun) return "sent";
  try {
    process.kill(found.pid, signal);
    return "sent";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ESRCH") return "absent";
    if (code === "EPERM" && (await signalAs(managed, found.pid, signal))) return "sent";
    log.error(`${name}: cannot send ${signal} to pid ${found.pid} (${code})`);
    return "failed";
  }
}

/** Another user's process gets the signal from that user. */
async function signalAs({ service }: ManagedJob, pid: number, signal: string): Promise<boolean> {
  if (service.user === undefined) return false;
  const command = commandAs(service.user, ["kill", `-${signal.slice(3)}`, String(pid)]);
  return (await runCommand(command, "/", killTimeoutMs)).exitCode === 0;
}

/** Waits until a job has ended. @returns false when it still runs after the time */
export async function waitForEnd(managed: ManagedJob, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (findProcess(managed).state === "running") {
    if (performance.now() > deadline) return false;
    await sleep(pollMs);
  }
  return true;
}

/** Asks a job to end after its round, and waits if told so.
 * @returns false when it was not reached, or still runs after the time */
export async function stopJob(job: Job, managed: ManagedJob, waitMs: number | undefined): Promise<boolean> {
  const outcome = await signalJob(job, managed, "SIGINT", "Stopping");
  if (outcome !== "sent") return outcome === "absent";
  if (waitMs === undefined || job.isDryRun || (await waitForEnd(managed, waitMs))) return true;
  job.log.error(`${managed.name} still runs after ${waitMs / 1000} s`, {
    hint: "It may be in a long batch. Wait, or end it at once: its program with -k.",
  });
  return false;
}
