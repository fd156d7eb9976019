import type { ServiceNotifier } from "@skytools/skytools";
import { Alarm } from "./alarm.ts";
import { Counters } from "./counters.ts";
import type { DaemonContext } from "./daemon-context.ts";
import type { DaemonLog } from "./daemon-log.ts";
import { DatabaseDiscovery } from "./database-discovery.ts";
import { DatabaseWorker } from "./database-worker.ts";
import { MonitorServer } from "./monitor/monitor-server.ts";
import { type Overview, overviewOf } from "./monitor/overview.ts";
import type { Settings } from "./settings.ts";
import { describe } from "./trouble.ts";

/** how long an orderly stop waits for statements that do not return */
const stopDeadlineMs = 10_000;

/** characters that systemctl status is shown */
const longestStatus = 500;

/** The running daemon: discovery, one worker a database, statistics, monitoring. */
export class Daemon {
  readonly #context: DaemonContext;
  readonly #discovery: DatabaseDiscovery;
  readonly #monitor: MonitorServer;
  readonly #workers = new Map<string, DatabaseWorker>();
  readonly #statsAlarm = new Alarm();
  readonly #service: ServiceNotifier;
  readonly #version: string;
  readonly #startedAtMs = performance.now();
  #isStopping = false;

  /** @param service is told how the databases are whenever statistics are logged */
  constructor(settings: Settings, log: DaemonLog, version: string, service: ServiceNotifier) {
    this.#version = version;
    this.#service = service;
    this.#context = {
      settings,
      log,
      counters: new Counters(),
      databaseIsMissing: () => this.#discovery.wakeIfQuiet(),
    };
    this.#discovery = new DatabaseDiscovery(this.#context, (names) => this.#adopt(names));
    this.#monitor = new MonitorServer(this.#context, () => this.#overview());
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

  #overview(): Overview {
    const facts = {
      version: this.#version,
      startedAtMs: this.#startedAtMs,
      settings: this.#context.settings,
      states: [...this.#workers.values()].map((worker) => worker.state),
      discovery: this.#discovery,
    };
    return overviewOf(facts, performance.now());
  }

  async #writeStatistics(): Promise<void> {
    while (!this.#isStopping) {
      await this.#statsAlarm.sleep(this.#context.settings.statsPeriodMs);
      if (this.#isStopping) return;
      const line = this.#context.counters.takeLine();
      this.#context.log.info(line);
      const { problems } = this.#overview();
      const state = problems.length === 0 ? line : `failing: ${problems.join("; ")}`;
      this.#service.status(state.slice(0, longestStatus));
    }
  }
}
