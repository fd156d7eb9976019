import { hostname, networkInterfaces } from "node:os";
import { pino } from "pino";
import type { Log, LogLevel } from "./log.ts";
import { PinoLog, shownError } from "./pino-log.ts";
import type { LogHandler, LogOrigin, LogRecord } from "./record.ts";

export interface ProgramLogOptions {
  readonly serviceName: string;
  readonly jobName: string;
  readonly level: LogLevel;
  readonly handlers: readonly LogHandler[];
}

const closePatienceMs = 1000;

/** The log of a process, built on pino. Files and standard streams are written before a call returns, so that nothing is lost
 * when the process dies. Passwords in messages are hidden. */
export class ProgramLog {
  readonly log: Log;
  readonly #handlers: readonly LogHandler[];
  readonly #origin: LogOrigin;
  #hasReported = false;

  constructor({ serviceName, jobName, level, handlers }: ProgramLogOptions) {
    this.#handlers = handlers;
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
    for (const handler of this.#handlers) {
      try {
        handler.reopen?.();
      } catch (error) {
        this.log.error(`cannot reopen the log file: ${messageOf(error)}`);
      }
    }
  }

  /** Resolves when the handlers that send have sent what they have, at the latest after a second. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closePatienceMs);
    });
    const closing = this.#handlers.map(async (handler) => handler.close?.());
    await Promise.race([Promise.allSettled(closing), patience]);
    clearTimeout(timer);
  }

  #write(line: string): void {
    const record = recordOf(line);
    for (const handler of this.#handlers) {
      try {
        handler.handle(record, this.#origin);
      } catch (error) {
        this.#reportOnce(error);
      }
    }
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
  readonly err?: { readonly stack?: string };
}

function recordOf(line: string): LogRecord {
  const { time, level, msg: message = "", hint, err } = JSON.parse(line) as JsonRecord;
  const stack = err?.stack;
  const more = [hint === undefined ? [] : [`HINT: ${hint}`], stack === undefined ? [] : [stack]];
  const text = [message, ...more.flat()].join("\n");
  return { time: new Date(time), level, message, stack, text, json: line.trimEnd() };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The first address of this host that others can reach, in place of a lookup of its name, which would block. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find((address) => address.family === "IPv4" && !address.internal)?.address ?? "0.0.0.0";
}
