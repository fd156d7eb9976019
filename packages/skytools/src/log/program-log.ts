import { hostname, networkInterfaces } from "node:os";
import { type Logger, pino } from "pino";
import type { LineFormat } from "./line-format.ts";
import type { Log, LogFields, LogLevel } from "./log.ts";
import type { LogOrigin } from "./record.ts";
import { redactSecrets } from "./redact.ts";

/** Where lines go. A write is complete when the call returns. */
export interface LogSink {
  write(text: string): void;
  /** SIGHUP: files may have been moved away. */
  reopen?(): void;
}

/** A sink with its line format; `json` writes the records as JSON lines. */
export interface LogOutput {
  readonly sink: LogSink;
  readonly format: LineFormat | "json";
}

export interface ProgramLogOptions {
  readonly serviceName: string;
  readonly jobName: string;
  readonly level: LogLevel;
  readonly outputs: readonly LogOutput[];
}

/** The log of a process, built on pino: it writes to all its outputs before a call returns, so that nothing is lost when
 * the process dies. Passwords in messages are hidden. */
export class ProgramLog {
  readonly log: Log;
  readonly #outputs: readonly LogOutput[];
  readonly #origin: LogOrigin;
  #hasReported = false;

  constructor({ serviceName, jobName, level, outputs }: ProgramLogOptions) {
    this.#outputs = outputs;
    this.#origin = {
      serviceName,
      jobName,
      pid: process.pid,
      hostName: hostname(),
      hostAddress: ownAddress(),
    };
    const showsStacks = level === "trace" || level === "debug";
    const logger = pino(
      {
        level,
        base: { pid: process.pid, service: serviceName, job: jobName },
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        serializers: { err: (error: unknown) => shownError(error, showsStacks) },
      },
      { write: (line: string) => this.#write(line) },
    );
    this.log = new PinoLog(logger);
  }

  /** Opens files anew; what cannot be opened stays as it was, and is reported. */
  reopen(): void {
    for (const { sink } of this.#outputs) {
      try {
        sink.reopen?.();
      } catch (error) {
        this.log.error(`cannot reopen the log file: ${messageOf(error)}`);
      }
    }
  }

  #write(line: string): void {
    for (const { sink, format } of this.#outputs) {
      try {
        sink.write(format === "json" ? line : `${this.#formatted(line, format)}\n`);
      } catch (error) {
        this.#reportOnce(error);
      }
    }
  }

  #formatted(line: string, format: LineFormat): string {
    const { time, level, msg, hint, err } = JSON.parse(line) as JsonRecord;
    const more = [hint === undefined ? [] : [`HINT: ${hint}`], err?.stack === undefined ? [] : [err.stack]];
    const text = [msg ?? "", ...more.flat()].join("\n");
    return format({ time: new Date(time), level, text }, this.#origin);
  }

  /** A full disk must not end the program, nor fill stderr. */
  #reportOnce(error: unknown): void {
    if (this.#hasReported) return;
    this.#hasReported = true;
    process.stderr.write(`cannot write to the log: ${messageOf(error)}\n`);
  }
}

interface JsonRecord {
  readonly time: string;
  readonly level: LogLevel;
  readonly msg?: string;
  readonly hint?: string;
  readonly err?: ShownError;
}

class PinoLog implements Log {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get level(): LogLevel {
    return this.#logger.level as LogLevel;
  }

  trace(message: string, fields?: LogFields): void {
    this.#put("trace", message, fields);
  }

  debug(message: string, fields?: LogFields): void {
    this.#put("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#put("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#put("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#put("error", message, fields);
  }

  fatal(message: string, fields?: LogFields): void {
    this.#put("fatal", message, fields);
  }

  child(fields: LogFields): Log {
    return new PinoLog(this.#logger.child(redacted(fields)));
  }

  #put(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (!this.#logger.isLevelEnabled(level)) return;
    this.#logger[level](fields === undefined ? {} : redacted(fields), redactSecrets(message));
  }
}

function redacted(fields: LogFields): Record<string, unknown> {
  const entries = Object.entries(fields);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === "string" ? redactSecrets(value) : value]),
  );
}

interface ShownError {
  readonly name?: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
}

function shownError(error: unknown, showsStack: boolean): ShownError {
  if (!(error instanceof Error)) return { message: redactSecrets(String(error)) };
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  const stack = showsStack && error.stack !== undefined ? { stack: redactSecrets(stackOf(error)) } : {};
  return { name: error.name, message: redactSecrets(error.message), ...code, ...stack };
}

/** The stacks of an error and of its causes. */
function stackOf(error: Error): string {
  const own = error.stack ?? String(error);
  return error.cause instanceof Error ? `${own}\nCaused by: ${stackOf(error.cause)}` : own;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The first address of this host that others can reach, in place of a lookup of its name, which would block. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find((address) => address.family === "IPv4" && !address.internal)?.address ?? "0.0.0.0";
}
