import type { Config } from "../config/config.ts";
import type { Databases } from "../db/databases.ts";
import type { Log } from "../log/log.ts";
import { AbortableSleep } from "./abortable-sleep.ts";
import type { Job } from "./job.ts";
import type { Program } from "./program.ts";
import { Statistics } from "./statistics.ts";

/** A piece of a job's work that goes on beside others of its kind: with sessions, statistics and sleep of its own, and a stop
 * that concerns it alone. Everything else is the job's. */
export class SideJob implements Job {
  readonly databases: Databases;
  readonly statistics = new Statistics();
  readonly #job: Job;
  readonly #sleep = new AbortableSleep();
  #isStopping = false;

  constructor(job: Job) {
    this.#job = job;
    this.databases = job.databases.branch();
  }

  get name(): string {
    return this.#job.name;
  }

  get program(): Program {
    return this.#job.program;
  }

  get config(): Config {
    return this.#job.config;
  }

  get log(): Log {
    return this.#job.log;
  }

  get command(): string | undefined {
    return this.#job.command;
  }

  get args(): readonly string[] {
    return this.#job.args;
  }

  get switches(): Readonly<Record<string, unknown>> {
    return this.#job.switches;
  }

  get env(): NodeJS.ProcessEnv {
    return this.#job.env;
  }

  get stdout(): NodeJS.WritableStream {
    return this.#job.stdout;
  }

  get isVerbose(): boolean {
    return this.#job.isVerbose;
  }

  get json(): boolean {
    return this.#job.json;
  }

  get isDryRun(): boolean {
    return this.#job.isDryRun;
  }

  flag(name: string): boolean {
    return this.#job.flag(name);
  }

  option(name: string): string | undefined {
    return this.#job.option(name);
  }

  optionList(name: string): readonly string[] {
    return this.#job.optionList(name);
  }

  sleep(ms: number): Promise<void> {
    return this.#sleep.sleep(ms);
  }

  wake(): void {
    this.#sleep.wake();
  }

  requestStop(): void {
    this.#isStopping = true;
    this.#sleep.stayAwake();
  }

  get isStopping(): boolean {
    return this.#isStopping || this.#job.isStopping;
  }

  get abort(): AbortSignal {
    return this.#job.abort;
  }

  /** Stops this work where it is: what its sessions run is cancelled and rolled back. */
  async end(): Promise<void> {
    this.requestStop();
    await this.databases.end();
  }
}
