import type { Logger } from "pino";
import type { Log, LogFields, LogLevel } from "./log.ts";
import { redactSecrets } from "./redact.ts";

/** Our face of a pino logger. */
export class PinoLog implements Log {
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

export interface ShownError {
  readonly name?: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
}

/** What a record says about an error. */
export function shownError(error: unknown, showsStack: boolean): ShownError {
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
