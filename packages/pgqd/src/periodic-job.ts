import type { Database } from "@skytools/skytools";
import { Alarm } from "./alarm.ts";
import { type DaemonContext, logName, openDatabase } from "./daemon-context.ts";
import { type FailurePauses, Trouble } from "./trouble.ts";

/** Something that connects to a database now and then, does its round and disconnects; idle while not wanted. */
export abstract class PeriodicJob {
  protected readonly context: DaemonContext;
  protected readonly name: string;
  protected isStopping = false;
  readonly #databaseName: string;
  readonly #trouble: Trouble;
  readonly #alarm = new Alarm();
  #isWanted = false;

  constructor(context: DaemonContext, databaseName: string, what: string, pauses: FailurePauses) {
    this.context = context;
    this.#databaseName = databaseName;
    this.name = logName(databaseName);
    this.#trouble = new Trouble(context.log, `${this.name}: ${what}`, pauses);
  }

  protected abstract round(db: Database): Promise<void>;

  /** milliseconds between rounds */
  protected abstract periodMs(): number;

  async run(): Promise<void> {
    while (!this.isStopping) {
      const pauseMs = this.#isWanted ? await this.#connectAndDo() : longPauseMs;
      if (!this.isStopping) await this.#alarm.sleep(pauseMs);
    }
  }

  setWanted(isWanted: boolean): void {
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
      db = await openDatabase(this.context, this.#databaseName);
      await this.round(db);
      this.#trouble.over();
      return this.periodMs();
    } catch (error) {
      return this.#trouble.failed(error);
    } finally {
      await db?.close().catch((error: unknown) => this.context.log.debug(`${this.name}: ${String(error)}`));
    }
  }
}

const longPauseMs = 3_600_000;
