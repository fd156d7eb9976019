import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { environmentWithoutPassword } from "../script/secrets-of-process.ts";

/** Numbers of syslog(3). */
export const syslogFacilities: Readonly<Record<string, number>> = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
};

export interface SyslogOptions {
  /** name at the beginning of each line */
  readonly ident: string;
  /** a key of {@link syslogFacilities}; default daemon */
  readonly facility?: string | undefined;
  /** the socket; default: the system's own */
  readonly socket?: string | undefined;
}

const closePatienceMs = 500;

/** Sends lines to the system's log through one long-lived `logger` process (util-linux): Node has no Unix datagram sockets.
 * Where that program is missing, or dies, lines are dropped: log file and stderr remain. */
export class Syslog {
  readonly #args: readonly string[];
  readonly #facility: number;
  #child: ChildProcess | undefined;
  #isGivenUp = false;

  constructor({ ident, facility = "daemon", socket }: SyslogOptions) {
    this.#facility = syslogFacilities[facility] ?? syslogFacilities.daemon!;
    const target = socket === undefined ? [] : ["--socket", socket];
    this.#args = ["--prio-prefix", "--tag", `${ident}[${process.pid}]`, ...target];
  }

  /** @param severity 0, an emergency, to 7, debugging
   * @param message line ends become blanks */
  send(severity: number, message: string): void {
    const line = message.replaceAll("\n", " ");
    this.#open()?.stdin?.write(`<${this.#facility * 8 + severity}>${line}\n`);
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
    const child = spawn("logger", this.#args, {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
      env: environmentWithoutPassword(),
    });
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
