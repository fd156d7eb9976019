import type { Database } from "@skytools/skytools";
import { Alarm } from "./alarm.ts";
import { watchConnection } from "./connection-watch.ts";
import { type DaemonContext, openDatabase } from "./daemon-context.ts";
import type { DatabaseState } from "./database-state.ts";
import { type FailurePauses, Trouble } from "./trouble.ts";

const longPauseMs = 3_600_000;
/** the first rounds of many databases are spread over so much time, so that they do not all connect at once */
const longestStartMs = 3000;

/** Something that connects to a database now and then, does its round and disconnects; idle while not wanted. */
export abstract class PeriodicJob {
  protected readonly context: DaemonContext;
  protected readonly database: DatabaseState;
  protected readonly name: string;
  protected isStopping = false;
  readonly #what: string;
  readonly #trouble: Trouble;
  readonly #alarm = new Alarm();
  #isWanted = false;
  #hasStarted = false;

  /** @param what the job's name in log lines */
  constructor(context: DaemonContext, database: DatabaseState, what: string, pauses: FailurePauses) {
    this.context = context;
    this.database = database;
    this.name = database.logName;
    this.#what = what;
    this.#trouble = new Trouble(context.log, `${this.name}: ${what}`, pauses);
    database.whenReached(() => {
      if (this.#trouble.isConnectionLost) this.#alarm.ring();
    });
  }

  protected abstract round(db: Database): Promise<void>;

  /** milliseconds between rounds; undefined: none until the settings change */
  protected abstract periodMs(): number | undefined;

  async run(): Promise<void> {
    while (!this.isStopping) {
      const pauseMs = await this.#turn();
      if (!this.isStopping) await this.#alarm.sleep(pauseMs);
    }
  }

  /** @returns milliseconds until the next turn */
  async #turn(): Promise<number> {
    const periodMs = this.periodMs();
    if (!this.#isWanted || periodMs === undefined) return longPauseMs;
    if (this.#hasStarted) return await this.#connectAndDo();
    this.#hasStarted = true;
    return Math.random() * Math.min(periodMs, longestStartMs);
  }

  setWanted(isWanted: boolean): void {
    if (!isWanted) this.#hasStarted = false;
    this.#isWanted = isWanted;
    this.#alarm.ring();
  }

  wake(): void {
    this.#alarm.ring();
  }

  stop(): void {
    this.isStopping = true;
    this.#alarm.ring();
  }

  async #connectAndDo(): Promise<number> {
    let db: Database | undefined;
    try {
      const opened = await openDatabase(this.context, this.database.name);
      db = opened;
      await watchConnection(this.context, this.database.name, this.#what, opened, () => this.round(opened));
      this.#trouble.over();
      this.database.reached();
      return this.periodMs() ?? longPauseMs;
    } catch (error) {
      return this.#trouble.failed(error);
    } finally {
      await db?.close().catch((error: unknown) => this.context.log.debug(`${this.name}: ${String(error)}`));
    }
  }
}
