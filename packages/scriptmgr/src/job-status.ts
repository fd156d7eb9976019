import { readFileSync } from "node:fs";
import { findProcess, type JobProcess } from "./job-process.ts";
import { readLog } from "./last-error.ts";
import type { ManagedJob } from "./managed-job.ts";
import { messageOfError } from "./message-of-error.ts";

/** One line of the status table. */
export interface JobStatus {
  readonly state: "OK" | "STOPPED" | "pidfile?" | "ERROR";
  readonly service: string;
  readonly job: string;
  readonly isDisabled: boolean;
  readonly pid: number | undefined;
  readonly uptimeSeconds: number | undefined;
  /** who it runs as, or would */
  readonly user: string | undefined;
  /** `failing`: the last that its log tells is an error; `unknown`: it has no log file that can be read */
  readonly health: "ok" | "failing" | "stopped" | "unknown";
  readonly lastError: string | undefined;
  readonly problem: string | undefined;
  readonly configFile: string;
}

/** How a job is. Never fails. Source: spec/scripts.md 1.3, 1.4 */
export function jobStatus(managed: ManagedJob): JobStatus {
  const log = readLog(managed.logfile);
  const common = {
    service: managed.service.name,
    job: managed.name,
    isDisabled: managed.isDisabled,
    user: managed.service.user,
    lastError: log?.lastError,
    configFile: managed.configFile,
  };
  const nobody = { pid: undefined, uptimeSeconds: undefined };
  let found: JobProcess;
  try {
    found = findProcess(managed);
  } catch (error) {
    return { ...common, ...nobody, state: "ERROR", health: "unknown", problem: messageOfError(error) };
  }
  const problem = undefined;
  switch (found.state) {
    case "unknown":
      return { ...common, ...nobody, state: "pidfile?", health: "unknown", problem };
    case "stopped":
      return { ...common, ...nobody, state: "STOPPED", health: "stopped", problem };
    case "running":
      return {
        ...common,
        pid: found.pid,
        uptimeSeconds: found.uptimeSeconds,
        user: userName(found.owner) ?? common.user,
        state: "OK",
        health: log === undefined ? "unknown" : log.isFailing ? "failing" : "ok",
        problem,
      };
  }
}

function userName(uid: number): string | undefined {
  const accounts = readFileSync("/etc/passwd", "utf8").split("\n");
  return accounts.map((line) => line.split(":")).find((fields) => fields[2] === String(uid))?.[0];
}
