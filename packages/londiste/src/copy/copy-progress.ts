import { hostname } from "node:os";
import type { Database, Log, ProgressTracker } from "@skytools/skytools";
import { ProgressDisplay } from "@skytools/skytools";
import { copyingRows, localCopyError, localCopyProgress, localCopyStart } from "../londiste-api.ts";

const reportPeriodMs = 1000;

/** Tells how a copy gets on: in the log every ten seconds, and in the database, outside the copy's transaction, where
 * `tables` and other programs see it. Failing to tell never fails the copy. */
export class CopyProgress {
  readonly #log: Log;
  readonly #connect: () => Promise<Database>;
  readonly #queueName: string;
  readonly #table: string;
  readonly #sourceNode: string;
  /** server processes that take the rows: they know how many there were */
  #copyPids: readonly number[] = [];
  /** rows of statements that have ended */
  #finishedRows = 0n;
  #tracker: ProgressTracker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<void> = Promise.resolve();
  #phase = "starting";
  #bytes = 0;
  #rows = 0n;

  constructor(options: {
    readonly log: Log;
    /** an autocommit session of the target */
    readonly connect: () => Promise<Database>;
    readonly queueName: string;
    readonly table: string;
    readonly sourceNode: string;
  }) {
    this.#log = options.log;
    this.#connect = options.connect;
    this.#queueName = options.queueName;
    this.#table = options.table;
    this.#sourceNode = options.sourceNode;
  }

  /** @param totals estimates from the source; zero: unknown */
  async begin(totals: { readonly totalBytes: bigint; readonly totalRows: bigint }): Promise<void> {
    const display = new ProgressDisplay({ isTerminal: false, line: (text) => this.#log.info(text) });
    this.#tracker = display.add(this.#table, { bytes: totals.totalBytes, rows: totals.totalRows });
    await this.#tell(async (db) => {
      await localCopyStart(db, this.#queueName, this.#table, {
        sourceNode: this.#sourceNode,
        copyProcess: `${hostname()}:${process.pid}`,
        totalRows: totals.totalRows > 0n ? totals.totalRows : null,
        totalBytes: totals.totalBytes > 0n ? totals.totalBytes : null,
      });
    });
    this.#timer = setInterval(() => {
      this.#last = this.#report();
    }, reportPeriodMs);
  }

  /** Rows are being copied.
   * @param pids of the server processes that take them */
  async copying(pids: readonly number[]): Promise<void> {
    this.#copyPids = [...pids];
    if (this.#phase !== copyingRows) await this.phase(copyingRows);
  }

  /** A statement has ended that has taken so many rows; others follow. */
  finishedRows(count: bigint): void {
    this.#finishedRows += count;
  }

  bytes(count: number): void {
    this.#bytes = count;
    this.#tracker?.update({ bytes: count, rows: this.#rows });
  }

  async phase(name: string, rows?: bigint): Promise<void> {
    this.#phase = name;
    if (rows !== undefined) this.#rows = rows;
    await this.#last;
    await this.#report();
  }

  /** Stops telling, with a last word. */
  async end(phase: string): Promise<void> {
    clearInterval(this.#timer);
    await this.phase(phase);
  }

  async fail(error: unknown): Promise<void> {
    clearInterval(this.#timer);
    await this.#last;
    const message = error instanceof Error ? error.message : String(error);
    await this.#tell((db) => localCopyError(db, this.#queueName, this.#table, message, null));
  }

  async #report(): Promise<void> {
    await this.#tell(async (db) => {
      if (this.#phase === copyingRows) await this.#readRows(db);
      const bytes = BigInt(this.#bytes);
      await localCopyProgress(db, this.#queueName, this.#table, this.#phase, this.#rows, bytes);
    });
  }

  async #readRows(db: Database): Promise<void> {
    const { rows } = await db.queryOne<{ rows: bigint }>(
      `select coalesce(sum(tuples_processed), 0)::int8 as rows from pg_catalog.pg_stat_progress_copy
        where pid = any ($1::int4[]) and command = 'COPY FROM'`,
      [[...this.#copyPids]],
    );
    const all = this.#finishedRows + rows;
    if (all > this.#rows) this.#rows = all;
    this.#tracker?.update({ bytes: this.#bytes, rows: this.#rows });
  }

  async #tell(what: (db: Database) => Promise<void>): Promise<void> {
    try {
      await what(await this.#connect());
    } catch (error) {
      this.#log.debug(
        `progress of ${this.#table} not stored: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}
