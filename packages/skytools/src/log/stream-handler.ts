import type { LineFormat } from "./line-format.ts";
import { type LogHandler, type LogOrigin, type LogRecord, levelNames } from "./record.ts";

/** Where lines go. A write is complete when the call returns. */
export interface LogSink {
  write(text: string): void;
  reopen?(): void;
}

/** How a record becomes text; `json`: one JSON object a line. */
export type RecordFormat = LineFormat | "json";

/** The text of a record, without line end. */
export function formatRecord(record: LogRecord, origin: LogOrigin, format: RecordFormat): string {
  return format === "json" ? record.json : format(record, origin);
}

/** Writes lines to a file or a standard stream. */
export class StreamHandler implements LogHandler {
  readonly #sink: LogSink;
  readonly #format: RecordFormat;

  constructor(sink: LogSink, format: RecordFormat) {
    this.#sink = sink;
    this.#format = format;
  }

  handle(record: LogRecord, origin: LogOrigin): void {
    this.#sink.write(`${formatRecord(record, origin, this.#format)}\n`);
  }

  reopen(): void {
    this.#sink.reopen?.();
  }
}

/** Writes lines for the journal: each begins with its priority, `<3>text`, which the journal takes off.
 * Source: sd-daemon(3), "Logging" */
export class JournalHandler implements LogHandler {
  readonly #sink: LogSink;
  readonly #format: RecordFormat;

  constructor(sink: LogSink, format: RecordFormat) {
    this.#sink = sink;
    this.#format = format;
  }

  handle(record: LogRecord, origin: LogOrigin): void {
    const prefix = `<${levelNames[record.level].severity}>`;
    const lines = formatRecord(record, origin, this.#format).split("\n");
    this.#sink.write(lines.map((line) => `${prefix}${line}\n`).join(""));
  }
}
