import { spawn, spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { crashPoint, type Job, setTimesSync, writeNamedFileSync } from "@skytools/skytools";
import type { Settings } from "../place/settings.ts";
import { WalError } from "../wal/wal-error.ts";

/** The file whose time says when the periodic command has succeeded last. */
function marker(settings: Settings): string {
  return join(settings.dataDirectory(), ".walshipping.periodic");
}

/** Why the periodic command need not run now; undefined when it should. */
export function whyNotPeriodic(settings: Settings): string | undefined {
  if (!settings.has("periodic_command")) return "periodic_command is not set";
  const file = marker(settings);
  if (!existsSync(file)) return undefined;
  const ageSeconds = (Date.now() - statSync(file).mtimeMs) / 1000;
  const interval = settings.config.getFloat("command_interval");
  return ageSeconds < interval
    ? `it ran ${Math.round(ageSeconds)} s ago, command_interval is ${interval}`
    : undefined;
}

/** Runs the periodic command to its end and notes its success.
 * @throws WalError when it fails
 * Source: spec/walmgr.md 5.11 */
export function runPeriodic(settings: Settings): void {
  const run = spawnSync("/bin/sh", ["-c", settings.config.get("periodic_command")], {
    stdio: ["ignore", 2, 2],
  });
  if (run.status !== 0) {
    throw new WalError(
      `periodic_command failed (${run.error?.message ?? `exit code ${run.status ?? run.signal}`})`,
    );
  }
  const file = marker(settings);
  writeNamedFileSync(file, "");
  setTimesSync(file, new Date());
}

/** Starts `walmgr INI periodic` beside this process: archiving must not wait for it. */
export function startPeriodic(job: Job, settings: Settings): void {
  if (whyNotPeriodic(settings) !== undefined) return;
  const script = process.argv[1];
  if (script === undefined) return;
  const child = spawn(process.execPath, [script, job.config.file, "periodic"], {
    detached: true,
    stdio: "ignore",
  });
  crashPoint("periodic.started");
  child.on("error", (error) => job.log.warn(`periodic_command could not be started: ${error.message}`));
  child.unref();
}
