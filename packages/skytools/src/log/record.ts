import type { LogLevel } from "./log.ts";

/** One log record as a handler sees it. */
export interface LogRecord {
  readonly time: Date;
  readonly level: LogLevel;
  readonly message: string;
  /** of the error that the record is about; only when the log is verbose */
  readonly stack: string | undefined;
  /** message, hint and stack, each on lines of its own */
  readonly text: string;
  /** the whole record as one JSON object, without line end */
  readonly json: string;
}

/** Who writes the log. */
export interface LogOrigin {
  readonly serviceName: string;
  readonly jobName: string;
  readonly pid: number;
  readonly hostName: string;
  readonly hostAddress: string;
}

/** Takes the records of a log to one place. */
export interface LogHandler {
  /** What it throws is reported once and never ends the program. Handlers that cannot write before they return keep what
   * they have for `close`. */
  handle(record: LogRecord, origin: LogOrigin): void;
  /** SIGHUP: files may have been moved away. */
  reopen?(): void;
  /** Resolves when everything has left this process, or after a short while. */
  close?(): Promise<void>;
}

interface LevelNames {
  readonly name: string;
  readonly number: number;
  /** as in syslog(3) and in the prefixes of the journal */
  readonly severity: number;
}

/** Names and numbers as Python's logging has them: operators and tools search for these. */
export const levelNames: Readonly<Record<LogLevel, LevelNames>> = {
  trace: { name: "TRACE", number: 5, severity: 7 },
  debug: { name: "DEBUG", number: 10, severity: 7 },
  info: { name: "INFO", number: 20, severity: 6 },
  warn: { name: "WARNING", number: 30, severity: 4 },
  error: { name: "ERROR", number: 40, severity: 3 },
  fatal: { name: "CRITICAL", number: 50, severity: 2 },
};

/** Whether a record of one level goes where records from another level on go. */
export function isAtLeast(level: LogLevel, least: LogLevel): boolean {
  return levelNames[level].number >= levelNames[least].number;
}

/** A handler for the records that are at least of a level. */
export function fromLevel(level: LogLevel, handler: LogHandler): LogHandler {
  return {
    handle: (record, origin) => {
      if (isAtLeast(record.level, level)) handler.handle(record, origin);
    },
    reopen: () => handler.reopen?.(),
    close: async () => handler.close?.(),
  };
}
