import type { RowBuffer } from "./row-buffer.ts";
import { layoutPrefixes, type RowLayout } from "./row-layout.ts";

const tab = 0x09;
const newline = 0x0a;
const quote = 0x22;
const percent = 0x25;
const ampersand = 0x26;
const plus = 0x2b;
const comma = 0x2c;
const minus = 0x2d;
const slash = 0x2f;
const zero = 0x30;
const nine = 0x39;
const equals = 0x3d;
const letterN = 0x4e;
const backslash = 0x5c;
const closingBrace = 0x7d;
const space = 0x20;

/** Turns the data of row events, one layout, into COPY lines, byte by byte: no string is made of any value. This is where a
 * worker spends its time, and what it would otherwise spend on collecting garbage is several times as much.
 *
 * Only what the capture triggers write is understood here; for anything else transcode() says no, and the caller decodes the
 * row the long way. */
export class RowTranscoder {
  readonly layout: RowLayout;
  readonly #prefixes: readonly Uint8Array[];
  readonly #isWritten: readonly boolean[];

  /** @param isWritten for each column of the layout, whether its value goes into the line */
  constructor(layout: RowLayout, isWritten: readonly boolean[]) {
    this.layout = layout;
    this.#prefixes = layoutPrefixes(layout);
    this.#isWritten = isWritten;
  }

  /** Appends a line: the head and the operation, then a field for each written column.
   * @param block holds the event; [headStart, headEnd) is copied as it is, [start, end) is the raw data
   * @param letter of the operation; 0: the line has neither head nor operation
   * @returns where the fields begin in `to`; -1 when the data has another layout or is written in another way, nothing is
   * appended then */
  transcode(
    block: Buffer,
    headStart: number,
    headEnd: number,
    letter: number,
    start: number,
    end: number,
    to: RowBuffer,
  ): number {
    // An escape is never shorter than what it becomes; only NULL may be.
    to.reserve(headEnd - headStart + (end - start) + 4 * this.#prefixes.length + 8);
    const out = to.bytes;
    let pos = to.size;
    if (letter !== 0) {
      for (let at = headStart; at < headEnd; at += 1) out[pos++] = block[at]!;
      out[pos++] = tab;
      out[pos++] = letter;
      out[pos++] = tab;
    }
    const first = pos;
    pos =
      this.layout.format === "json"
        ? this.#json(block, start, end, out, first)
        : this.#url(block, start, end, out, first);
    if (pos < 0) return -1;
    out[pos++] = newline;
    to.size = pos;
    to.rows += 1;
    return first;
  }

  /** @returns the position behind the last field, -1 for no */
  #json(block: Buffer, start: number, end: number, out: Buffer, first: number): number {
    const prefixes = this.#prefixes;
    let at = start;
    let pos = first;
    let written = 0;
    for (let nr = 0; nr < prefixes.length; nr += 1) {
      const prefix = prefixes[nr]!;
      if (at + prefix.length >= end) return -1;
      for (let k = 0; k < prefix.length; k += 1) if (block[at + k] !== prefix[k]) return -1;
      at += prefix.length;
      const fieldStart = pos;
      if (written > 0) out[pos++] = tab;
      if (block[at] === quote) {
        at += 1;
        for (let byte = block[at]!; byte !== quote; byte = block[at]!) {
          if (at >= end) return -1;
          if (byte !== backslash) {
            out[pos++] = byte;
            at += 1;
            continue;
          }
          // COPY has doubled the backslash of JSON's escape.
          if (block[at + 1] !== backslash) return -1;
          const escaped = block[at + 2]!;
          at += 3;
          if (escaped === quote || escaped === slash) {
            out[pos++] = escaped;
          } else if (escaped === backslash && block[at] === backslash) {
            out[pos++] = backslash;
            out[pos++] = backslash;
            at += 1;
          } else if (isControlLetter(escaped)) {
            out[pos++] = backslash;
            out[pos++] = escaped;
          } else return -1;
        }
        at += 1;
      } else {
        const valueStart = at;
        for (let byte = block[at]!; byte !== comma && byte !== closingBrace; byte = block[at]!) {
          if (at >= end) return -1;
          out[pos++] = byte;
          at += 1;
        }
        if (isNull(block, valueStart, at)) {
          pos = fieldStart;
          if (written > 0) out[pos++] = tab;
          out[pos++] = backslash;
          out[pos++] = letterN;
        } else if (!isNumberOrBoolean(block, valueStart, at)) return -1;
      }
      if (this.#isWritten[nr]) written += 1;
      else pos = fieldStart;
    }
    return at === end - 1 && block[at] === closingBrace ? pos : -1;
  }

  #url(block: Buffer, start: number, end: number, out: Buffer, first: number): number {
    const names = this.#prefixes;
    let at = start;
    let pos = first;
    let written = 0;
    for (let nr = 0; nr < names.length; nr += 1) {
      const name = names[nr]!;
      if (at + name.length > end) return -1;
      for (let k = 0; k < name.length; k += 1) if (block[at + k] !== name[k]) return -1;
      at += name.length;
      const fieldStart = pos;
      if (written > 0) out[pos++] = tab;
      if (at === end || block[at] === ampersand) {
        out[pos++] = backslash;
        out[pos++] = letterN;
      } else {
        if (block[at] !== equals) return -1;
        at += 1;
        while (at < end && block[at] !== ampersand) {
          let byte = block[at]!;
          at += 1;
          if (byte === backslash) return -1;
          if (byte === plus) byte = space;
          if (byte === percent) {
            byte = hexDigit(block[at]) * 16 + hexDigit(block[at + 1]);
            if (Number.isNaN(byte) || at + 2 > end) return -1;
            at += 2;
            if (byte < 0x0e || byte === backslash) {
              const letter = copyEscape(byte);
              if (letter === 0) return -1;
              out[pos++] = backslash;
              byte = letter;
            }
          }
          out[pos++] = byte;
        }
      }
      if (this.#isWritten[nr]) written += 1;
      else pos = fieldStart;
    }
    return at === end ? pos : -1;
  }
}

/** n t r b f: the same letters in JSON and in COPY. */
function isControlLetter(byte: number): boolean {
  return byte === 0x6e || byte === 0x74 || byte === 0x72 || byte === 0x62 || byte === 0x66;
}

/** The letter after COPY's backslash for a byte that must be escaped; 0 for one that this does not know. */
function copyEscape(byte: number): number {
  switch (byte) {
    case backslash:
      return backslash;
    case tab:
      return 0x74;
    case newline:
      return 0x6e;
    case 0x0d:
      return 0x72;
    default:
      return 0;
  }
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return Number.NaN;
  if (byte >= zero && byte <= nine) return byte - zero;
  if (byte >= 0x61 && byte <= 0x66) return byte - 0x57;
  if (byte >= 0x41 && byte <= 0x46) return byte - 0x37;
  return Number.NaN;
}

function isNull(block: Buffer, start: number, end: number): boolean {
  return end - start === 4 && block[start] === 0x6e && block[start + 1] === 0x75;
}

function isNumberOrBoolean(block: Buffer, start: number, end: number): boolean {
  const first = block[start];
  if (first === undefined || end === start) return false;
  if ((first >= zero && first <= nine) || first === minus) return true;
  return (end - start === 4 && first === 0x74) || (end - start === 5 && first === 0x66);
}
