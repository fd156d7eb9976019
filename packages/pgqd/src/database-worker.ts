import type { DaemonContext } from "./daemon-context.ts";
import { DatabaseState } from "./database-state.ts";
import { Maintenance } from "./maintenance.ts";
import { FiguresCollector } from "./monitor/figures-collector.ts";
import type { PeriodicJob } from "./periodic-job.ts";
import { RetryMover } from "./retry-mover.ts";
import { Ticker } from "./ticker.ts";

/** Everything that is done for one database: a ticker, and, while PgQ is there, maintenance, the retry queue and figures for
 * monitoring, each on its own connection, so that neither a slow round nor another database delays a tick. */
export class DatabaseWorker {
  readonly state: DatabaseState;
  readonly #ticker: Ticker;
  readonly #jobs: readonly PeriodicJob[];
  readonly #running: Promise<unknown>;

  constructor(context: DaemonContext, databaseName: string) {
    this.state = new DatabaseState(databaseName);
    this.#jobs = [
      new Maintenance(context, this.state),
      new RetryMover(context, this.state),
      new FiguresCollector(context, this.state),
    ];
    this.#ticker = new Ticker(context, this.state, (isPresent) => {
      context.log.debug(`${this.state.logName}: pgq is ${isPresent ? "there" : "not there"}`);
      for (const job of this.#jobs) job.setWanted(isPresent);
    });
    this.#running = Promise.all([this.#ticker.run(), ...this.#jobs.map((job) => job.run())]);
  }

  /** Settings have changed: sleeping parts go on at once. */
  wake(): void {
    for (const part of [this.#ticker, ...this.#jobs]) part.wake();
  }

  /** Ends all parts after the statement that each is in; resolves when their connections are closed. */
  async stop(): Promise<void> {
    for (const part of [this.#ticker, ...this.#jobs]) part.stop();
    await this.#running;
  }
}
