import { type DaemonContext, logName } from "./daemon-context.ts";
import { Maintenance } from "./maintenance.ts";
import { RetryMover } from "./retry-mover.ts";
import { Ticker } from "./ticker.ts";

/** Everything that is done for one database: a ticker, and, while PgQ is there, maintenance and the retry queue, each on its
 * own connection, so that neither a slow round nor another database delays a tick. */
export class DatabaseWorker {
  readonly #ticker: Ticker;
  readonly #maintenance: Maintenance;
  readonly #retryMover: RetryMover;
  readonly #running: Promise<unknown>;

  constructor(context: DaemonContext, databaseName: string) {
    const name = logName(databaseName);
    this.#maintenance = new Maintenance(context, databaseName);
    this.#retryMover = new RetryMover(context, databaseName);
    this.#ticker = new Ticker(context, databaseName, (isPresent) => {
      context.log.debug(`${name}: pgq is ${isPresent ? "there" : "not there"}`);
      this.#maintenance.setWanted(isPresent);
      this.#retryMover.setWanted(isPresent);
    });
    this.#running = Promise.all([this.#ticker.run(), this.#maintenance.run(), this.#retryMover.run()]);
  }

  /** Settings have changed: sleeping parts go on at once. */
  wake(): void {
    this.#ticker.wake();
    this.#maintenance.wake();
    this.#retryMover.wake();
  }

  /** Ends all parts after the statement that each is in; resolves when their connections are closed. */
  async stop(): Promise<void> {
    this.#ticker.stop();
    this.#maintenance.stop();
    this.#retryMover.stop();
    await this.#running;
  }
}
