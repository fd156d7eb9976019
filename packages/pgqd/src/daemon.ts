import { Alarm } from "./alarm.ts";
import { Counters } from "./counters.ts";
import type { DaemonContext } from "./daemon-context.ts";
import type { DaemonLog } from "./daemon-log.ts";
import { DatabaseDiscovery } from "./database-discovery.ts";
import { DatabaseWorker } from "./database-worker.ts";
import { MonitorServer } from "./monitor/monitor-server.ts";
import { overviewOf } from "./monitor/overview.ts";
import type { Settings } from "./settings.ts";
import { describe } from "./trouble.ts";

/** how long an orderly stop waits for statements that do not return */
const stopDeadlineMs = 10_000;

/** The running daemon: discovery, one worker a database, statistics, monitoring. */
export class Daemon {
  readonly #context: DaemonContext;
  readonly #discovery: DatabaseDiscovery;
  readonly #monitor: MonitorServer;
  readonly #workers = new Map<string, DatabaseWorker>();
  readonly #statsAlarm = new Alarm();
  #isStopping = false;

  constructor(settings: Settings, log: DaemonLog, version: string) {
    const startedAtMs = performance.now();
    const context: DaemonContext = {
      settings,
      log,
      counters: new Counters(),
      databaseIsMissing: () => this.#discovery.wakeIfQuiet(),
    };
    this.#context = context;
    this.#discovery = new DatabaseDiscovery(context, (names) => this.#adopt(names));
    this.#monitor = new MonitorServer(context, () => {
      const states = [...this.#workers.values()].map((worker) => worker.state);
      const facts = { version, startedAtMs, settings: context.settings, states, discovery: this.#discovery };
      return overviewOf(facts, performance.now());
    });
  }

  /** Runs until `stop`; resolves when all connections are closed, or the deadline for that has passed. */
  async run(): Promise<void> {
    await Promise.all([this.#discovery.run(), this.#writeStatistics(), this.#monitor.run()]);
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
    this.#monitor.stop();
    this.#statsAlarm.ring();
  }

  /** Takes new settings: periods count at once, connect strings from the next connection on, which tickers open soon. */
  reload(settings: Settings): void {
    this.#context.settings = settings;
    this.#discovery.wake();
    this.#monitor.wake();
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
      log.info(`Unregister database: ${worker.state.logName}`);
      this.#workers.delete(name);
      worker.stop().catch((error: unknown) => log.error(`${worker.state.logName}: ${describe(error)}`));
    }
  }

  async #writeStatistics(): Promise<void> {
    while (!this.#isStopping) {
      await this.#statsAlarm.sleep(this.#context.settings.statsPeriodMs);
      if (!this.#isStopping) this.#context.log.info(this.#context.counters.takeLine());
    }
  }
}
