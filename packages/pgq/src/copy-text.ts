import { unescapeCopy } from "@skytools/skytools";
import type { PgqEvent } from "./event.ts";

const newline = 0x0a;

/** Splits a COPY text stream into rows of raw fields. Feed it chunks as they come; a row that spans chunks is kept as a list
 * of pieces, so that one huge row costs no repeated copying.
 * Source: PostgreSQL manual, COPY, "Text Format" */
export class CopyTextRows {
  readonly #pieces: Buffer[] = [];

  /** @returns the lines that are complete now, without their newline; still escaped */
  take(chunk: Buffer): string[] {
    const end = chunk.lastIndexOf(newline);
    if (end < 0) {
      this.#pieces.push(chunk);
      return [];
    }
    const head = chunk.subarray(0, end);
    const text =
      this.#pieces.length === 0
        ? head.toString("utf8")
        : Buffer.concat([...this.#pieces, head]).toString("utf8");
    this.#pieces.length = 0;
    if (end + 1 < chunk.length) this.#pieces.push(chunk.subarray(end + 1));
    return text.split("\n");
  }
}

/** Reads one line of the batch query's COPY output, in the column order of `eventColumns`. */
export function eventFromCopyLine(line: string): PgqEvent {
  const raw = line.split("\t");
  return {
    id: BigInt(raw[0]!),
    time: raw[1]!,
    txid: BigInt(raw[2]!),
    retry: raw[3] === "\\N" ? null : Number(raw[3]),
    type: field(raw[4]!),
    data: field(raw[5]!),
    extra1: field(raw[6]!),
    extra2: field(raw[7]!),
    extra3: field(raw[8]!),
    extra4: field(raw[9]!),
  };
}

/** Nearly all fields hold no backslash and need no second look. */
function field(raw: string): string | null {
  return raw.includes("\\") ? unescapeCopy(raw) : raw;
}
