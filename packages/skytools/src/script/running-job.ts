import type { Config } from "../config/config.ts";
import { Databases } from "../db/databases.ts";
import type { Log } from "../log/log.ts";
import { AbortableSleep } from "./abortable-sleep.ts";
import type { Job } from "./job.ts";
import type { Command, Program } from "./program.ts";
import { Statistics } from "./statistics.ts";
import { SwitchTable } from "./switch-table.ts";

export interface JobOptions {
  readonly config: Config;
  readonly log: Log;
  readonly command?: Command | undefined;
  readonly args?: readonly string[];
  /** values under camel-case names */
  readonly switches?: Readonly<Record<string, unknown>>;
  readonly env?: NodeJS.ProcessEnv;
  readonly stdout?: NodeJS.WritableStream;
  readonly isVerbose?: boolean;
  readonly json?: boolean;
}

/** A job outside of `runProgram`: no signals, no pidfile. For tests, and for programs that embed a work loop; the owner
 * calls `databases.closeAll()` at the end. */
export function createJob(program: Program, options: JobOptions): Job {
  return new RunningJob(program, options);
}

/** The job of a process, with the side that only the framework uses. */
export class RunningJob implements Job {
  readonly name: string;
  readonly program: Program;
  readonly config: Config;
  readonly log: Log;
  readonly databases: Databases;
  readonly statistics = new Statistics();
  readonly command: string | undefined;
  readonly args: readonly string[];
  readonly switches: Readonly<Record<string, unknown>>;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: NodeJS.WritableStream;
  readonly isVerbose: boolean;
  readonly json: boolean;
  /** resolves when the first database connection is open */
  readonly firstConnection: Promise<void>;
  /** exit code that `requestStop` asked for */
  exitCode = 0;
  readonly #sleep = new AbortableSleep();
  readonly #abort = new AbortController();
  readonly #knownSwitches: ReadonlySet<string>;
  #isStopping = false;
  #isReloadWanted = false;

  constructor(program: Program, options: JobOptions) {
    this.program = program;
    this.config = options.config;
    this.name = options.config.get("job_name");
    this.log = options.log;
    this.command = options.command?.name;
    this.args = options.args ?? [];
    this.switches = options.switches ?? {};
    this.env = options.env ?? process.env;
    this.stdout = options.stdout ?? process.stdout;
    this.isVerbose = options.isVerbose ?? false;
    this.json = options.json ?? false;
    this.#knownSwitches = new Set(new SwitchTable(program).all.map((each) => each.name));
    let connected: () => void = () => {};
    this.firstConnection = new Promise((resolve) => {
      connected = resolve;
    });
    this.databases = new Databases({
      setting: (key) => options.config.find(key),
      log: options.log,
      applicationName: this.name,
      onConnect: async () => connected(),
      onNotification: () => this.wake(),
    });
  }

  get isDryRun(): boolean {
    return this.switches.dryRun === true;
  }

  flag(name: string): boolean {
    return this.#switch(name) === true;
  }

  option(name: string): string | undefined {
    const value = this.#switch(name);
    return typeof value === "string" ? value : undefined;
  }

  optionList(name: string): readonly string[] {
    const value = this.#switch(name);
    return Array.isArray(value) ? value : [];
  }

  #switch(name: string): unknown {
    if (!this.#knownSwitches.has(name))
      throw new Error(`program ${this.program.service} has no switch "${name}"`);
    return this.switches[name];
  }

  sleep(ms: number): Promise<void> {
    return this.#sleep.sleep(ms);
  }

  wake(): void {
    this.#sleep.wake();
  }

  requestStop(exitCode = 0): void {
    this.exitCode = exitCode;
    this.#isStopping = true;
    this.#sleep.stayAwake();
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  get abort(): AbortSignal {
    return this.#abort.signal;
  }

  /** SIGHUP: the configuration is read again at the top of the next round. */
  requestReload(): void {
    this.#isReloadWanted = true;
    this.#sleep.interrupt();
  }

  get isReloadWanted(): boolean {
    return this.#isReloadWanted;
  }

  /** True once after each `requestReload`. */
  takeReload(): boolean {
    const isWanted = this.#isReloadWanted;
    this.#isReloadWanted = false;
    return isWanted;
  }

  /** SIGTERM: whoever listens to `abort` lets go at once. */
  abortNow(): void {
    this.#isStopping = true;
    this.#abort.abort();
    this.#sleep.stayAwake();
  }
}
