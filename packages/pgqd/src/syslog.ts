import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import type { LogLevel } from "./daemon-log.ts";

const severities: Readonly<Record<LogLevel, number>> = {
  FATAL: 2,
  ERROR: 3,
  WARNING: 4,
  LOG: 6,
  DEBUG: 7,
  NOISE: 7,
};

const facilityNumbers: Readonly<Record<string, number>> = {
  user: 1,
  daemon: 3,
  auth: 4,
  authpriv: 10,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
};

const closePatienceMs = 500;

/** Sends lines to the system's log through one long-lived `logger` process: Node cannot open the datagram socket itself.
 * Where that program is missing, or dies, lines are dropped: the log file and stderr remain. */
export class Syslog {
  readonly #ident: string;
  readonly #facility: number;
  #child: ChildProcess | undefined;
  #isGivenUp = false;

  constructor(ident: string, facility: string) {
    this.#ident = ident;
    this.#facility = facilityNumbers[facility] ?? facilityNumbers.daemon!;
  }

  send(level: LogLevel, message: string): void {
    const line = message.replaceAll("\n", " ");
    this.#open()?.stdin?.write(`<${this.#facility * 8 + severities[level]}>${line}\n`);
  }

  /** Ends the process behind; resolves when it has passed on what it has, or after a short while. */
  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.stdin?.end();
    await Promise.race([ended, setTimeout(closePatienceMs, undefined, { ref: false })]);
  }

  #open(): ChildProcess | undefined {
    if (this.#child !== undefined || this.#isGivenUp) return this.#child;
    const args = ["--prio-prefix", "--tag", `${this.#ident}[${process.pid}]`];
    const child = spawn("logger", args, { stdio: ["pipe", "ignore", "ignore"] });
    const giveUp = () => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#isGivenUp = true;
    };
    child.on("error", giveUp);
    child.on("exit", giveUp);
    child.stdin.on("error", giveUp);
    child.unref();
    this.#child = child;
    return child;
  }
}
