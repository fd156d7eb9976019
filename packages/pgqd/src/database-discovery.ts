import { Alarm } from "./alarm.ts";
import { watchConnection } from "./connection-watch.ts";
import { type DaemonContext, openDatabase } from "./daemon-context.ts";
import { listDatabases } from "./pgq-calls.ts";
import { describe, Trouble } from "./trouble.ts";

const soonMs = 1000;

/** Keeps the list of databases current: the configured one, or what the instance has. While it cannot be asked, the known
 * list stands. Source: spec/pgq-library.md B4 */
export class DatabaseDiscovery {
  readonly #context: DaemonContext;
  readonly #found: (names: readonly string[]) => void;
  readonly #alarm = new Alarm();
  readonly #trouble: Trouble;
  #isStopping = false;
  #isAnnounced = false;
  #listedAtMs: number | undefined;
  #lastTrouble: string | undefined;
  #lookAtMs = 0;

  /** @param found gets each list, changed or not */
  constructor(context: DaemonContext, found: (names: readonly string[]) => void) {
    this.#context = context;
    this.#found = found;
    this.#trouble = new Trouble(context.log, "database discovery", {
      sqlMs: 10_000,
      longestConnectMs: 60_000,
    });
  }

  async run(): Promise<void> {
    while (!this.#isStopping) {
      const pauseMs = await this.#look();
      this.#lookAtMs = performance.now();
      if (!this.#isStopping) await this.#alarm.sleep(pauseMs);
    }
  }

  /** when the list was last current, as performance.now() */
  get listedAtMs(): number | undefined {
    return this.#listedAtMs;
  }

  /** why the list cannot be had; undefined while it can */
  get trouble(): string | undefined {
    return this.#lastTrouble;
  }

  /** Looks again now, for example after the settings have changed. */
  wake(): void {
    this.#alarm.ring();
  }

  /** Looks again unless it has just looked. */
  wakeIfQuiet(): void {
    if (performance.now() - this.#lookAtMs > soonMs) this.#alarm.ring();
  }

  stop(): void {
    this.#isStopping = true;
    this.#alarm.ring();
  }

  async #look(): Promise<number> {
    const { settings, log } = this.#context;
    if (settings.databaseList.length > 0) {
      this.#have(settings.databaseList);
      return settings.checkPeriodMs;
    }
    if (!this.#isAnnounced) log.info("auto-detecting dbs ...");
    this.#isAnnounced = true;
    try {
      const db = await openDatabase(this.#context, settings.initialDatabase);
      try {
        const names = await watchConnection(
          this.#context,
          settings.initialDatabase,
          "database discovery",
          db,
          () => listDatabases(db),
        );
        this.#trouble.over();
        this.#have(names);
      } finally {
        await db.close();
      }
      return settings.checkPeriodMs;
    } catch (error) {
      this.#lastTrouble = describe(error);
      return Math.min(this.#trouble.failed(error), settings.checkPeriodMs);
    }
  }

  #have(names: readonly string[]): void {
    this.#listedAtMs = performance.now();
    this.#lastTrouble = undefined;
    this.#found(names);
  }
}
