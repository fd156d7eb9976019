import type { Database } from "@skytools/skytools";
import { Alarm } from "./alarm.ts";
import { watchConnection } from "./connection-watch.ts";
import { type DaemonContext, openDatabase } from "./daemon-context.ts";
import type { DatabaseState } from "./database-state.ts";
import { isVersionGood, lookForPgq, type PgqPresence, tick } from "./pgq-calls.ts";
import { describe, isDatabaseMissing, isRefused, isSomethingMissing, Trouble } from "./trouble.ts";

const standbyCheckMs = 10_000;

/** Ticks one database: connects, looks for PgQ, then calls pgq.ticker() on that connection for its lifetime.
 * Source: spec/pgq-library.md B5 */
export class Ticker {
  readonly #context: DaemonContext;
  readonly #database: DatabaseState;
  readonly #name: string;
  readonly #presenceChanged: (isPresent: boolean) => void;
  readonly #trouble: Trouble;
  readonly #alarm = new Alarm();
  #isStopping = false;
  #isPresent = false;

  constructor(
    context: DaemonContext,
    database: DatabaseState,
    presenceChanged: (isPresent: boolean) => void,
  ) {
    this.#context = context;
    this.#database = database;
    this.#name = database.logName;
    this.#presenceChanged = presenceChanged;
    this.#trouble = new Trouble(context.log, `${this.#name}: ticker`, {
      sqlMs: 10_000,
      longestConnectMs: 60_000,
    });
    database.whenReached(() => {
      if (this.#trouble.isConnectionLost) this.#alarm.ring();
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
    const { baseConnstr } = this.#context.settings;
    let db: Database | undefined;
    try {
      db = await openDatabase(this.#context, this.#database.name);
      return (await this.#check(db)) ?? (await this.#tickWhileGood(db, baseConnstr));
    } catch (error) {
      this.#database.trouble = describe(error);
      this.#database.isClosedToUs = isRefused(error);
      if (isDatabaseMissing(error)) this.#context.databaseIsMissing();
      const pauseMs = this.#trouble.failed(error);
      return isSomethingMissing(error) ? Math.min(pauseMs, this.#context.settings.checkPeriodMs) : pauseMs;
    } finally {
      await db?.close().catch((error: unknown) => this.#context.log.debug(`${this.#name}: ${String(error)}`));
    }
  }

  /** @returns the pause when there is nothing to tick here */
  async #check(db: Database): Promise<number | undefined> {
    const { log, settings } = this.#context;
    const presence = await this.#watched(db, () => lookForPgq(db));
    if (!presence.isInRecovery && isVersionGood(presence)) {
      log.info(`${this.#name}: pgq version ok: ${presence.version ?? "unknown"}`);
      this.#database.found("present", presence.version ?? undefined);
      return undefined;
    }
    this.#trouble.over();
    this.#setPresent(false);
    this.#database.found(reasonNotToTick(presence), presence.version ?? undefined);
    if (presence.isInRecovery) {
      log.debug(`${this.#name}: server is in recovery, waiting`);
      return Math.min(standbyCheckMs, settings.checkPeriodMs);
    }
    if (presence.hasSchema) log.info(`${this.#name}: bad pgq version, ignoring`);
    else log.debug(`${this.#name}: no pgq`);
    return settings.checkPeriodMs;
  }

  /** Ticks until the connection is old or others are to be used. @returns 0: open the next one at once */
  async #tickWhileGood(db: Database, baseConnstr: string): Promise<number> {
    const openedAt = performance.now();
    while (!this.#isStopping) {
      await this.#tickOnce(db);
      if (this.#isStopping) break;
      // Not a fixed rate: a call that came a moment before a queue's lag is reached would put its tick off by a whole period.
      await this.#alarm.sleep(this.#context.settings.tickerPeriodMs);
      const { connectionLifetimeMs, baseConnstr: wantedConnstr } = this.#context.settings;
      if (wantedConnstr !== baseConnstr) break;
      if (connectionLifetimeMs > 0 && performance.now() - openedAt > connectionLifetimeMs) break;
    }
    return 0;
  }

  async #tickOnce(db: Database): Promise<void> {
    const { log, counters } = this.#context;
    const startedAt = performance.now();
    const isDone = await this.#watched(db, () => tick(db));
    this.#trouble.over();
    this.#database.reached();
    this.#setPresent(true);
    if (isDone) {
      counters.countTick();
      this.#database.ticked(performance.now() - startedAt);
    }
    log.noise(`${this.#name}: ${isDone ? "ticked" : "another ticker is at work"}`);
  }

  #watched<T>(db: Database, work: () => Promise<T>): Promise<T> {
    return watchConnection(this.#context, this.#database.name, "ticker", db, work);
  }

  #setPresent(isPresent: boolean): void {
    if (isPresent === this.#isPresent) return;
    this.#isPresent = isPresent;
    this.#presenceChanged(isPresent);
  }
}

function reasonNotToTick(presence: PgqPresence): "standby" | "too old" | "absent" {
  if (presence.isInRecovery) return "standby";
  return presence.hasSchema ? "too old" : "absent";
}
