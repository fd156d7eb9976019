import { Database } from "../db/database.ts";
import type { LogLevel } from "./log.ts";
import { isAtLeast, type LogHandler, type LogOrigin, type LogRecord } from "./record.ts";
import { parseStatisticsLine, StatisticsSum } from "./statistics-line.ts";

const logDbLevels: Readonly<Record<LogLevel, string>> = {
  trace: "DEBUG",
  debug: "DEBUG",
  info: "INFO",
  warn: "WARNING",
  error: "ERROR",
  fatal: "FATAL",
};

const statisticsPeriodMs = 60_000;
const longestBacklog = 1000;
const firstPauseMs = 1000;
const longestPauseMs = 60_000;

interface Entry {
  readonly level: LogLevel;
  readonly jobName: string;
  readonly text: string;
}

/** Writes records from INFO on into a log database: `log.add(level, job_name, message)`, of a message the first line. Statistics
 * lines are added up and written once a minute, and before an error. While the database is away up to a thousand records wait,
 * and connecting is tried again after pauses that double up to a minute.
 * Source: spec/framework.md 6.4; the schema is the module `log` of @skytools/sql */
export class LogDbHandler implements LogHandler {
  readonly #connstr: string;
  readonly #complain: (message: string) => void;
  readonly #backlog: Entry[] = [];
  readonly #sum = new StatisticsSum();
  #dropped = 0;
  #lastSumMs = Number.NEGATIVE_INFINITY;
  #jobName = "";
  #db: Database | undefined;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #isClosing = false;

  constructor(connstr: string, complain: (message: string) => void) {
    this.#connstr = connstr;
    this.#complain = complain;
  }

  handle(record: LogRecord, { jobName }: LogOrigin): void {
    if (!isAtLeast(record.level, "info")) return;
    this.#jobName = jobName;
    const text = record.message.split("\n", 1)[0]!;
    const figures = record.level === "info" ? parseStatisticsLine(text) : undefined;
    if (figures === undefined) {
      if (isAtLeast(record.level, "error")) this.#putSum();
      this.#put({ level: record.level, jobName, text });
    } else {
      this.#sum.add(figures);
      if (performance.now() - this.#lastSumMs >= statisticsPeriodMs) this.#putSum();
    }
    this.#sendSoon();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#putSum();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sendSoon();
    await this.#sending;
    await this.#db?.close();
    this.#db = undefined;
  }

  #putSum(): void {
    const text = this.#sum.takeLine();
    if (text === undefined) return;
    this.#lastSumMs = performance.now();
    this.#put({ level: "info", jobName: this.#jobName, text });
  }

  #put(entry: Entry): void {
    if (this.#backlog.length < longestBacklog) this.#backlog.push(entry);
    else this.#dropped++;
  }

  #sendSoon(): void {
    if (this.#sending !== undefined || this.#timer !== undefined || this.#backlog.length === 0) return;
    this.#sending = this.#send().finally(() => {
      this.#sending = undefined;
      this.#sendAgain();
    });
  }

  /** What came meanwhile goes at once, what failed after a pause. */
  #sendAgain(): void {
    if (this.#backlog.length === 0 || (this.#isClosing && this.#failures > 0)) return;
    if (this.#failures === 0) {
      this.#sendSoon();
      return;
    }
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#failures - 1));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sendSoon();
    }, pauseMs);
    this.#timer.unref();
  }

  async #send(): Promise<void> {
    try {
      if (this.#db?.isBroken !== false) this.#db = await Database.open(this.#connstr, { autocommit: true });
      for (let entry = this.#backlog[0]; entry !== undefined; entry = this.#backlog[0]) {
        await this.#add(this.#db, entry);
        this.#backlog.shift();
        this.#failures = 0;
      }
      await this.#addDropped(this.#db);
    } catch (error) {
      this.#failures++;
      if (this.#failures === 1) {
        this.#complain(
          `cannot write to the log database: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      await this.#db?.close().catch(() => undefined);
      this.#db = undefined;
    }
  }

  async #addDropped(db: Database): Promise<void> {
    if (this.#dropped === 0) return;
    const text = `${this.#dropped} log records were dropped while the log database was away`;
    await this.#add(db, { level: "warn", jobName: this.#jobName, text });
    this.#dropped = 0;
  }

  async #add(db: Database, { level, jobName, text }: Entry): Promise<void> {
    await db.query("select log.add($1::text, $2::text, $3::text)", [logDbLevels[level], jobName, text]);
  }
}
