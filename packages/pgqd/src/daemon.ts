import { Alarm } from "./alarm.ts";
import { Counters } from "./counters.ts";
import { type DaemonContext, logName } from "./daemon-context.ts";
import type { DaemonLog } from "./daemon-log.ts";
import { DatabaseDiscovery } from "./database-discovery.ts";
import { DatabaseWorker } from "./database-worker.ts";
import type { Settings } from "./settings.ts";

/** how long an orderly stop waits for statements that do not return */
const stopDeadlineMs = 10_000;

/** The running daemon: discovery, one worker a database, statistics. */
export class Daemon {
  readonly #context: DaemonContext;
  readonly #discovery: DatabaseDiscovery;
  readonly #workers = new Map<string, DatabaseWorker>();
  readonly #statsAlarm = new Alarm();
  #isStopping = false;

  constructor(settings: Settings, log: DaemonLog) {
    this.#context = {
      settings,
      log,
      counters: new Counters(),
      databaseIsMissing: () => this.#discovery.wakeIfQuiet(),
    };
    this.#discovery = new DatabaseDiscovery(this.#context, (names) => this.#adopt(names));
  }

  /** Runs until `stop`; resolves when all connections are closed, or the deadline for that has passed. */
  async run(): Promise<void> {
    await Promise.all([this.#discovery.run(), this.#writeStatistics()]);
    let deadline: NodeJS.Timeout | undefined;
    const isLate = new Promise<void>((resolve) => {
      deadline = setTimeout(resolve, stopDeadlineMs);
    });
    await Promise.race([Promise.all([...this.#workers.values()].map((worker) => worker.stop())), isLate]);
    clearTimeout(deadline);
  }

  stop(): void {
    this.#isStopping = true;
    this.#discovery.stop();
    this.#statsAlarm.ring();
  }

  /** Takes new settings: periods count at once, connect strings from the next connection on. */
  reload(settings: Settings): void {
    this.#context.settings = settings;
    this.#discovery.wake();
    this.#statsAlarm.ring();
    for (const worker of this.#workers.values()) worker.wake();
  }

  #adopt(names: readonly string[]): void {
    if (this.#isStopping) return;
    const { log } = this.#context;
    for (const name of names) {
      if (!this.#workers.has(name)) this.#workers.set(name, new DatabaseWorker(this.#context, name));
    }
    for (const [name, worker] of this.#workers) {
      if (names.includes(name)) continue;
      log.info(`Unregister database: ${logName(name)}`);
      this.#workers.delete(name);
      worker.stop().catch((error: unknown) => log.error(`${logName(name)}: ${String(error)}`));
    }
  }

  async #writeStatistics(): Promise<void> {
    while (!this.#isStopping) {
      const wasWritingEvery = this.#context.settings.statsPeriodMs;
      await this.#statsAlarm.sleep(wasWritingEvery);
      if (!this.#isStopping) this.#context.log.info(this.#context.counters.takeLine());
    }
  }
}
