/** From most to least talkative. Shown as TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

/** Extra data of a record. They appear in JSON lines; of them the text format shows only `hint` (as a second line) and
 * `err` (an Error: its stack). */
export type LogFields = Readonly<Record<string, unknown>>;

/** The log of a program. error: a human must act; warn: will be tried again; info: state has changed; debug: each batch;
 * trace: each statement. Records are written before the call returns. */
export interface Log {
  readonly level: LogLevel;
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  fatal(message: string, fields?: LogFields): void;
  /** The same log, whose records carry these fields too. */
  child(fields: LogFields): Log;
}
