import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { probePidfile } from "@skytools/skytools";
import { waitFor } from "@skytools/testbed";
import type { Shell } from "./shell.ts";

/** A daemon, as its configuration names its files. */
export interface Daemon {
  readonly command: string;
  /** Configuration file, and the command of a program that has several. */
  readonly args: readonly [string, ...string[]];
  /** Pidfile and log are this name with .pid and .log. */
  readonly files: string;
}

/** The daemons that the demo has started with the commands' own -d, and that must run until it stops them with -s. */
export class Daemons {
  readonly #shell: Shell;
  readonly #directory: string;
  readonly #running = new Set<Daemon>();

  constructor(shell: Shell, directory: string) {
    this.#shell = shell;
    this.#directory = directory;
  }

  async start(daemon: Daemon): Promise<void> {
    await this.#shell.run(daemon.command, "-d", ...daemon.args);
    this.#running.add(daemon);
  }

  /** Resolves when the process has ended. */
  async stop(daemon: Daemon): Promise<void> {
    this.#running.delete(daemon);
    await this.#shell.run(daemon.command, "-s", ...daemon.args);
    await waitFor(`the end of ${daemon.files}`, () => !this.#isRunning(daemon), { intervalMs: 50 });
  }

  /** Latest first. */
  async stopAll(): Promise<void> {
    for (const daemon of [...this.#running].reverse()) await this.stop(daemon);
  }

  /** Every daemon that runs, latest first. */
  running(): Daemon[] {
    return [...this.#running].reverse();
  }

  /** @throws Error with the end of the log when one that should run does not */
  check(): void {
    for (const daemon of this.#running) {
      if (!this.#isRunning(daemon))
        throw new Error(`${daemon.files} does not run any more${this.#logTail(daemon)}`);
    }
  }

  #isRunning(daemon: Daemon): boolean {
    return probePidfile(join(this.#directory, `${daemon.files}.pid`)).state === "running";
  }

  #logTail(daemon: Daemon): string {
    const log = join(this.#directory, `${daemon.files}.log`);
    if (!existsSync(log)) return "";
    return `\n${readFileSync(log, "utf8").trimEnd().split("\n").slice(-15).join("\n")}`;
  }
}
