import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { crashPoint, environmentWithoutPassword, type Job } from "@skytools/skytools";
import { runningServer } from "../place/server-directory.ts";
import type { Settings } from "../place/settings.ts";
import { WalError } from "../wal/wal-error.ts";

const stopTimeoutMs = 120_000;

/** Stops the server of a data directory with the administrator's command, and waits until it is gone.
 * @throws WalError when it still runs after two minutes */
export async function stopServer(job: Job, settings: Settings, dataDirectory: string): Promise<void> {
  if (runningServer(dataDirectory) === undefined) return;
  const command = settings.config.get("slave_stop_cmd");
  job.log.info(`Stopping the server: ${command}`);
  runShell(command);
  const deadline = performance.now() + stopTimeoutMs;
  while (runningServer(dataDirectory) !== undefined) {
    if (performance.now() > deadline) throw new WalError(`the server of ${dataDirectory} does not stop`);
    await sleep(200);
  }
}

/** Starts the server of a data directory, with the administrator's command or pg_ctl.
 * @throws WalError when the command fails */
export function startServer(job: Job, settings: Settings, dataDirectory: string): void {
  const command = settings.config.get("slave_start_cmd");
  if (command === "") startByPgCtl(job, settings, dataDirectory);
  else {
    job.log.info(`Starting the server: ${command}`);
    runShell(command);
  }
  crashPoint("server.started");
}

function startByPgCtl(job: Job, settings: Settings, dataDirectory: string): void {
  const pgCtl = serverProgram(settings, "pg_ctl");
  const log = `${dataDirectory}.log`;
  job.log.info(`Starting the server: ${pgCtl} start, log ${log}`);
  const run = spawnSync(pgCtl, ["start", "-w", "-D", dataDirectory, "-l", log], {
    stdio: ["ignore", 2, 2],
    // All of the server's processes would have it, and those that start it at the next boot would not.
    env: environmentWithoutPassword(),
  });
  if (run.status !== 0) {
    throw new WalError(`pg_ctl start failed (${run.error?.message ?? `exit code ${run.status}`})`, {
      hint: `Look at ${log}; set slave_start_cmd or slave_bin when the server is started differently.`,
    });
  }
}

/** A program of PostgreSQL: in the directory that the configuration names, else wherever PATH has it. */
export function serverProgram(settings: Settings, name: string): string {
  const key = settings.role === "primary" ? "master_bin" : "slave_bin";
  if (!settings.has(key)) return name;
  return join(settings.config.getFile(key), name);
}

export function hasServerProgram(settings: Settings, name: string): boolean {
  const path = serverProgram(settings, name);
  const directories = path.includes("/") ? [""] : (process.env.PATH ?? "").split(":");
  return directories.some((directory) => existsSync(directory === "" ? path : join(directory, path)));
}

function runShell(command: string): void {
  const run = spawnSync("/bin/sh", ["-c", command], { stdio: ["ignore", 2, 2] });
  if (run.status !== 0)
    throw new WalError(`command failed with exit code ${run.status ?? run.signal}: ${command}`);
}
