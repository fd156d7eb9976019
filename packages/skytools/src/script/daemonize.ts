import { spawn } from "node:child_process";
import { closeSync, fstatSync } from "node:fs";
import type { LogSink } from "../log/stream-handler.ts";
import { writeFully } from "../log/write-fully.ts";
import { crashPoint } from "./crash-point.ts";

/** Environment variable by which the background process knows that it is one; its value is the pid of the parent. */
const marker = "SKYTOOLS_DAEMON_PARENT";
const reportDescriptor = 3;
const startedMark = "\0";

/** The background side of `daemonize`: until `reportStarted` the parent shows what is written here. */
export class DaemonChild implements LogSink {
  #isReporting = true;

  /** The background side when this process is one; forgets the marker, so that programs started from here are not. */
  static detect(env: NodeJS.ProcessEnv): DaemonChild | undefined {
    const parent = env[marker];
    delete env[marker];
    if (parent === undefined || Number(parent) !== process.ppid) return undefined;
    return fstatSync(reportDescriptor).isFIFO() || fstatSync(reportDescriptor).isSocket()
      ? new DaemonChild()
      : undefined;
  }

  write(text: string): void {
    if (this.#isReporting) writeFully(reportDescriptor, text);
  }

  /** Lets the parent end with success. */
  reportStarted(): void {
    if (!this.#isReporting) return;
    this.write(startedMark);
    this.#isReporting = false;
    closeSync(reportDescriptor);
  }
}

/** Starts the same program again in the background, in a session of its own with standard streams at /dev/null, and waits
 * until it reports that it has started. What it writes before goes to our stderr.
 * @param argv the program's own arguments
 * @returns exit code for this process: 0 when the other one runs
 * Source: spec/framework.md 3.3 */
export async function daemonize(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const script = process.argv[1];
  if (script === undefined) throw new Error("no script to start again");
  const child = spawn(process.execPath, [...process.execArgv, script, ...argv], {
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "pipe"],
    env: { ...env, [marker]: String(process.pid) },
  });
  crashPoint("daemon.started");
  const reports = child.stdio[reportDescriptor];
  if (reports === null || reports === undefined || !("setEncoding" in reports)) {
    throw new Error("the background process has no report pipe");
  }
  reports.setEncoding("utf8");
  const code = await new Promise<number>((resolve, reject) => {
    reports.on("data", (text: string) => {
      writeFully(2, text.replaceAll(startedMark, ""));
      if (text.includes(startedMark)) resolve(0);
    });
    child.once("error", reject);
    child.once("close", (exitCode, signal) => {
      // One that could say something has done so.
      if (signal !== null)
        writeFully(2, `the background process was ended by ${signal} before it had started\n`);
      resolve(exitCode || 1);
    });
  });
  reports.destroy();
  child.unref();
  return code;
}
