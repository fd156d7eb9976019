import type { LogLevel } from "./log.ts";

/** One log record as a destination sees it. */
export interface LogRecord {
  readonly time: Date;
  readonly level: LogLevel;
  /** message and what follows it on further lines */
  readonly text: string;
}

/** Who writes the log. */
export interface LogOrigin {
  readonly serviceName: string;
  readonly jobName: string;
  readonly pid: number;
  readonly hostName: string;
  readonly hostAddress: string;
}

interface LevelNames {
  readonly name: string;
  readonly number: number;
}

/** Names and numbers as Python's logging has them: operators and tools search for these. */
export const levelNames: Readonly<Record<LogLevel, LevelNames>> = {
  trace: { name: "TRACE", number: 5 },
  debug: { name: "DEBUG", number: 10 },
  info: { name: "INFO", number: 20 },
  warn: { name: "WARNING", number: 30 },
  error: { name: "ERROR", number: 40 },
  fatal: { name: "CRITICAL", number: 50 },
};
