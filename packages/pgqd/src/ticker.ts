import type { Database } from "@skytools/skytools";
import { Alarm } from "./alarm.ts";
import { type DaemonContext, logName, openDatabase } from "./daemon-context.ts";
import { isVersionGood, lookForPgq, tick } from "./pgq-calls.ts";
import { isDatabaseMissing, isPgqMissing, Trouble } from "./trouble.ts";

const standbyCheckMs = 10_000;

/** Ticks one database: connects, looks for PgQ, then calls pgq.ticker() on that connection for its lifetime.
 * Source: spec/pgq-library.md B5 */
export class Ticker {
  readonly #context: DaemonContext;
  readonly #databaseName: string;
  readonly #name: string;
  readonly #presenceChanged: (isPresent: boolean) => void;
  readonly #trouble: Trouble;
  readonly #alarm = new Alarm();
  #isStopping = false;
  #isPresent = false;

  constructor(context: DaemonContext, databaseName: string, presenceChanged: (isPresent: boolean) => void) {
    this.#context = context;
    this.#databaseName = databaseName;
    this.#name = logName(databaseName);
    this.#presenceChanged = presenceChanged;
    this.#trouble = new Trouble(context.log, `${this.#name}: ticker`, {
      sqlMs: 10_000,
      longestConnectMs: 60_000,
    });
  }

  async run(): Promise<void> {
    while (!this.#isStopping) {
      const pauseMs = await this.#session();
      if (!this.#isStopping && pauseMs > 0) await this.#alarm.sleep(pauseMs);
    }
  }

  wake(): void {
    this.#alarm.ring();
  }

  stop(): void {
    this.#isStopping = true;
    this.#alarm.ring();
  }

  /** One connection from opening to closing. @returns milliseconds until the next */
  async #session(): Promise<number> {
    let db: Database | undefined;
    try {
      db = await openDatabase(this.#context, this.#databaseName);
      return (await this.#check(db)) ?? (await this.#tickWhileYoung(db));
    } catch (error) {
      if (isPgqMissing(error)) this.#setPresent(false);
      if (isDatabaseMissing(error)) this.#context.databaseIsMissing();
      return this.#trouble.failed(error);
    } finally {
      await db?.close().catch((error: unknown) => this.#context.log.debug(`${this.#name}: ${String(error)}`));
    }
  }

  /** @returns the pause when there is nothing to tick here */
  async #check(db: Database): Promise<number | undefined> {
    const { log, settings } = this.#context;
    const presence = await lookForPgq(db);
    if (!presence.isInRecovery && isVersionGood(presence)) {
      log.info(`${this.#name}: pgq version ok: ${presence.version ?? "unknown"}`);
      return undefined;
    }
    this.#trouble.over();
    this.#setPresent(false);
    if (presence.isInRecovery) {
      log.debug(`${this.#name}: server is in recovery, waiting`);
      return Math.min(standbyCheckMs, settings.checkPeriodMs);
    }
    if (presence.hasSchema) log.info(`${this.#name}: bad pgq version, ignoring`);
    else log.debug(`${this.#name}: no pgq`);
    return settings.checkPeriodMs;
  }

  /** Ticks until the connection is old. @returns 0: open the next one at once */
  async #tickWhileYoung(db: Database): Promise<number> {
    const { log, counters } = this.#context;
    const openedAt = performance.now();
    while (!this.#isStopping) {
      const startedAt = performance.now();
      const isDone = await tick(db);
      this.#trouble.over();
      this.#setPresent(true);
      if (isDone) counters.countTick();
      log.noise(`${this.#name}: ${isDone ? "ticked" : "another ticker is at work"}`);
      if (this.#isStopping) break;
      const { tickerPeriodMs, connectionLifetimeMs } = this.#context.settings;
      const tookMs = performance.now() - startedAt;
      await this.#alarm.sleep(Math.max(tickerPeriodMs - tookMs, tickerPeriodMs / 2));
      if (connectionLifetimeMs > 0 && performance.now() - openedAt > connectionLifetimeMs) break;
    }
    return 0;
  }

  #setPresent(isPresent: boolean): void {
    if (isPresent === this.#isPresent) return;
    this.#isPresent = isPresent;
    this.#presenceChanged(isPresent);
  }
}
