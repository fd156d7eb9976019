import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { crashPoint, type Job, setTimesSync, writeNamedFileSync } from "@skytools/skytools";
import { type LockHolder, ProcessLock } from "../place/process-lock.ts";
import type { Settings } from "../place/settings.ts";
import { WalError } from "../wal/wal-error.ts";

/** The file whose time says when the periodic command has succeeded last. */
function marker(settings: Settings): string {
  return join(settings.dataDirectory(), ".walshipping.periodic");
}

/** Held by the command itself: it may outlive the call that has started it, and take longer than the next segment. A copy of the data
 * directory may be on another host. */
function commandLock(settings: Settings): ProcessLock {
  return new ProcessLock(join(settings.dataDirectory(), ".walshipping.periodic.lock"), {
    busy: ({ pid }: LockHolder) => new WalError(`periodic_command is running already, process ${pid}`),
    isShared: false,
  });
}

/** Why the periodic command need not run now; undefined when it should. */
export async function whyNotPeriodic(settings: Settings): Promise<string | undefined> {
  if (!settings.has("periodic_command")) return "periodic_command is not set";
  const holder = await commandLock(settings).liveHolder();
  return holder === undefined ? whyNotAgain(settings) : `it is running, process ${holder.pid}`;
}

function whyNotAgain(settings: Settings): string | undefined {
  const file = marker(settings);
  if (!existsSync(file)) return undefined;
  const ageSeconds = (Date.now() - statSync(file).mtimeMs) / 1000;
  const interval = settings.config.getFloat("command_interval");
  return ageSeconds < interval
    ? `it ran ${Math.round(ageSeconds)} s ago, command_interval is ${interval}`
    : undefined;
}

/** Runs the periodic command to its end and notes its success.
 * @throws WalError when it fails, or runs already
 * Source: spec/walmgr.md 5.11 */
export async function runPeriodic(job: Job, settings: Settings): Promise<void> {
  const lock = commandLock(settings);
  await lock.take();
  try {
    // Another call may have done it while this one was about to.
    if (whyNotAgain(settings) !== undefined) return;
    const child = spawn("/bin/sh", ["-c", settings.config.get("periodic_command")], {
      stdio: ["ignore", 2, 2],
    });
    const end = once(child, "exit") as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
    end.catch(() => undefined);
    // It runs whatever happens to the lock, which is ours then for as long as we are there.
    if (child.pid !== undefined)
      await lock
        .passTo(child.pid)
        .catch((error: unknown) =>
          job.log.warn(`periodic_command is not named in its lock: ${String(error)}`),
        );
    crashPoint("periodic.command-started");
    const [code, signal] = await end.catch((cause: Error) => {
      throw new WalError(`periodic_command failed (${cause.message})`, { cause });
    });
    if (code !== 0) throw new WalError(`periodic_command failed (exit code ${code ?? signal})`);
    noteSuccess(settings);
  } finally {
    await lock.release();
  }
}

function noteSuccess(settings: Settings): void {
  const file = marker(settings);
  writeNamedFileSync(file, "");
  setTimesSync(file, new Date());
}

/** Starts `walmgr INI periodic` beside this process: archiving must not wait for it. */
export async function startPeriodic(job: Job, settings: Settings): Promise<void> {
  const reason = await whyNotPeriodic(settings).catch((error: unknown) => {
    job.log.warn(`periodic_command is not started: ${String(error)}`);
    return "not known";
  });
  if (reason !== undefined) return;
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
