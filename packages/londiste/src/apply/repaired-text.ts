import { isUtf8 } from "node:buffer";
import type { Log } from "@skytools/skytools";
import type { RowEventKind } from "./event-kind.ts";
import type { RawEvent } from "./event-line.ts";
import { DecodedRowEvent } from "./row-event.ts";
import { isRawText } from "./row-layout.ts";

const replacement = "\ufffd";

/** Makes text of bytes that are no UTF-8: such bytes become U+FFFD, and the log tells of each column once.
 * Source: spec/londiste.md 12.2 */
export class RepairedText {
  readonly #log: Log;
  readonly #told = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param table set-wide name */
  rowEvent(raw: RawEvent, kind: RowEventKind, table: string): DecodedRowEvent {
    const repaired = repairedEvent(raw, kind);
    const event = new DecodedRowEvent(repaired, kind);
    if (repaired !== raw && kind.format !== "sql") this.#tell(table, event.row());
    return event;
  }

  /** A row in COPY text, given back as its columns.
   * @param parse takes the text apart */
  copiedRow(
    line: Buffer,
    table: string,
    parse: (text: string) => ReadonlyMap<string, string | null>,
  ): ReadonlyMap<string, string | null> {
    const row = parse(line.toString("utf8"));
    if (!isUtf8(line)) this.#tell(table, row);
    return row;
  }

  #tell(table: string, row: ReadonlyMap<string, string | null>): void {
    for (const [column, value] of row) {
      const name = `${table}.${column}`;
      if (value?.includes(replacement) !== true || this.#told.has(name)) continue;
      this.#told.add(name);
      this.#log.warn(`Fixed invalid UTF8 in column <${name}>`);
    }
  }
}

/** @returns the event itself when there is nothing to repair */
function repairedEvent(raw: RawEvent, { format }: RowEventKind): RawEvent {
  const more = repairedRaw(raw.more);
  const text = repairedRaw(raw.data);
  const data = format === "url" && !text.startsWith("{") ? repairedUrl(text) : text;
  return more === raw.more && data === raw.data ? raw : { ...raw, more, data };
}

/** The escapes of COPY are ASCII, and stay as they are. */
function repairedRaw(raw: string): string {
  if (isRawText(raw)) return raw;
  return Buffer.from(Buffer.from(raw, "latin1").toString("utf8"), "utf8").toString("latin1");
}

/** Bytes that are no UTF-8 among %xx. */
function repairedUrl(data: string): string {
  const escaped = /%[0-9a-f]{2}/iy;
  let repaired = "";
  let at = 0;
  for (let begin = data.indexOf("%"); begin >= 0; begin = data.indexOf("%", at)) {
    escaped.lastIndex = begin;
    let end = begin;
    while (escaped.test(data)) end = escaped.lastIndex;
    const run = data.slice(begin, end);
    const bytes = Buffer.from(run.replaceAll("%", ""), "hex");
    repaired += data.slice(at, begin) + (isUtf8(bytes) ? run : escapedAll(bytes.toString("utf8")));
    if (end === begin) {
      repaired += "%";
      end += 1;
    }
    at = end;
  }
  return repaired + data.slice(at);
}

/** Every byte: a letter as it is could become part of a broken escape before it. */
function escapedAll(text: string): string {
  return Buffer.from(text, "utf8").toString("hex").replace(/../g, "%$&");
}
