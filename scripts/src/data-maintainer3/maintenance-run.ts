import {
  crashPoint,
  type Database,
  formatDuration,
  type Job,
  SkytoolsError,
  type StatementOutcome,
  urlDecodeRow,
} from "@skytools/skytools";
import { CheckpointFile } from "./checkpoint.ts";
import { type KeyList, openKeyList } from "./key-list.ts";
import type { MaintenanceStatements } from "./statements.ts";
import { throttle } from "./throttle.ts";
import { type KeyRow, typedRows } from "./typed-value.ts";

const reportPeriodMs = 60_000;

type Outcome = StatementOutcome<Record<string, unknown>>;

/** One run over the list: before, blocks of rows, after.
 * Source: spec/scripts.md section 9 */
export class MaintenanceRun {
  readonly #job: Job;
  readonly #statements: MaintenanceStatements;
  readonly #checkpoint: CheckpointFile;
  readonly #startedMs = performance.now();
  #reportedMs = this.#startedMs;
  /** of sql_before_run */
  #common: KeyRow = new Map();
  #rowCount = 0;
  /** rows that an earlier run had done */
  #skippedCount = 0;
  #lastRow: KeyRow = new Map();

  constructor(job: Job, statements: MaintenanceStatements) {
    this.#job = job;
    this.#statements = statements;
    this.#checkpoint = new CheckpointFile(job);
  }

  /** @throws SkytoolsError; blocks that were committed stay */
  async run(): Promise<void> {
    const { log, config } = this.#job;
    const start = this.#checkpoint.read();
    this.#skippedCount = start.rowCount;
    await this.#runBefore();
    await using list = await openKeyList(this.#job, start, this.#common);
    const isComplete = await this.#workThrough(list);
    const rowCount = this.#rowCount;
    log.info(`Total: ${rowCount} rows, duration: ${this.#durationSeconds().toFixed(2)} s`);
    this.#job.statistics.putFloat("duration", this.#durationSeconds());
    if (rowCount > 0 || config.getBoolean("after_zero_rows")) {
      await this.#statements.after?.runAlone(this.#parametersOf(this.#lastRow));
    }
    if (isComplete) this.#checkpoint.remove();
    log.info(isComplete ? `Script finished, ${rowCount} rows` : `Script stopped, ${rowCount} rows`);
  }

  async #runBefore(): Promise<void> {
    const { before } = this.#statements;
    if (before === undefined) return;
    const outcome = await before.runAlone(new Map());
    if (outcome.command !== "SELECT") return;
    const [row] = typedRows(outcome);
    if (row === undefined || outcome.rows.length > 1) {
      throw new SkytoolsError(
        "BEFORE_RUN",
        `sql_before_run gave ${outcome.rows.length} rows, it must give one`,
      );
    }
    this.#common = row;
  }

  /** @returns false when it was told to stop before the end */
  async #workThrough(list: KeyList): Promise<boolean> {
    const { config } = this.#job;
    const count = config.has("fetch_count") || !config.has("fetchcnt") ? "fetch_count" : "fetchcnt";
    const blockSize = config.has(count) ? config.getInt(count) : 100;
    for (;;) {
      const block = await list.next(blockSize);
      if (block.length > 0) await this.#workOnBlock(block);
      if (this.#job.isStopping) return false;
      if (block.length < blockSize) return true;
      await this.#pause();
      if (this.#job.isStopping) return false;
      this.#report(list);
    }
  }

  async #pause(): Promise<void> {
    const { config, log } = this.#job;
    await this.#job.sleep(config.getFloat("commit_delay") * 1000);
    const { throttle: query } = this.#statements;
    if (query === undefined) return;
    await throttle({
      ask: async () => onlyValue(await query.runAlone(this.#parametersOf(this.#lastRow))),
      sleep: (ms) => this.#job.sleep(ms),
      isStopping: () => this.#job.isStopping,
      warn: (message) => log.warn(message),
    });
  }

  async #workOnBlock(block: readonly KeyRow[]): Promise<void> {
    const writers = await this.#writers();
    const done: boolean[] = block.map(() => false);
    let next = 0;
    let hasFailed = false;
    const work = async (db: Database): Promise<void> => {
      while (next < block.length && !hasFailed && !this.#job.isStopping) {
        const at = next++;
        try {
          await this.#workOnRow(db, block[at]!);
        } catch (error) {
          hasFailed = true;
          throw error;
        }
        done[at] = true;
      }
    };
    const results = await Promise.allSettled(writers.map((db) => work(db)));
    const failed = results.find((result) => result.status === "rejected");
    // Of a block that is one transaction nothing stays; the connections end with the round.
    if (failed !== undefined && !this.#job.config.getBoolean("autocommit")) throw failed.reason;
    for (const db of writers) await db.commit();
    crashPoint("maintainer.after-commit");
    this.#advance(block, done);
    if (failed !== undefined) throw failed.reason;
  }

  /** What is done without a gap from the beginning of the block counts. */
  #advance(block: readonly KeyRow[], done: readonly boolean[]): void {
    const gap = done.indexOf(false);
    const count = gap < 0 ? block.length : gap;
    if (count === 0) return;
    this.#rowCount += count;
    this.#lastRow = block[count - 1]!;
    this.#checkpoint.write(this.#skippedCount + this.#rowCount, this.#lastRow);
  }

  async #writers(): Promise<Database[]> {
    const { config, databases } = this.#job;
    const connstr = config.get("dbwrite");
    const autocommit = config.getBoolean("autocommit");
    const keys = Array.from({ length: config.getInt("parallel_writers") }, (_, at) =>
      at === 0 ? "dbwrite" : `dbwrite#${at + 1}`,
    );
    return await Promise.all(keys.map((key) => databases.get(key, { connstr, autocommit })));
  }

  async #workOnRow(db: Database, row: KeyRow): Promise<void> {
    const parameters = this.#parametersOf(row);
    try {
      this.#count(await this.#statements.modify.run(db, parameters));
    } catch (error) {
      await this.#runOnCrash(parameters);
      throw error;
    }
  }

  #count({ command, rows, affectedCount }: Outcome): void {
    const { statistics } = this.#job;
    const [row] = rows;
    statistics.increase("count", wholeNumber(row?.cnt) ?? 1);
    if (command !== "SELECT") statistics.increase("processed", affectedCount);
    if (typeof row?.stats !== "string") return;
    for (const [name, value] of urlDecodeRow(row.stats)) {
      const number = wholeNumber(value);
      if (number !== undefined) statistics.increase(name, number);
      else this.#job.log.warn(`statistic ${name} is no whole number: ${String(value)}`);
    }
  }

  async #runOnCrash(parameters: KeyRow): Promise<void> {
    const { onCrash } = this.#statements;
    try {
      await onCrash?.runAlone(parameters);
    } catch (error) {
      this.#job.log.warn(`sql_on_crash failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #parametersOf(row: KeyRow): KeyRow {
    return new Map([...this.#common, ...row]);
  }

  #report(list: KeyList): void {
    const now = performance.now();
    if (now - this.#reportedMs < reportPeriodMs) return;
    this.#reportedMs = now;
    const rowCount = this.#rowCount;
    const seconds = this.#durationSeconds();
    const fraction = list.fractionRead() ?? 0;
    const left =
      fraction === 0
        ? ""
        : `, ${(fraction * 100).toFixed(1)} % of the file, about ${formatDuration((seconds / fraction) * (1 - fraction))} left`;
    this.#job.log.info(`Running: ${rowCount} rows, duration: ${seconds.toFixed(2)} s${left}`);
  }

  #durationSeconds(): number {
    return (performance.now() - this.#startedMs) / 1000;
  }
}

/** @returns undefined for what is no whole number that a statistic can hold */
function wholeNumber(value: unknown): number | undefined {
  if (value === null || value === undefined || value === "") return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

function onlyValue({ rows }: Outcome): unknown {
  const values = Object.values(rows[0] ?? {});
  if (rows.length === 1 && values.length === 1) return values[0];
  throw new SkytoolsError(
    "THROTTLE",
    `sql_throttle gave ${rows.length} rows of ${values.length} columns, it must give one value`,
  );
}
