import type { KeyForm, TargetColumn } from "./target-table.ts";

const tab = 0x09;
const newline = 0x0a;
const space = 0x20;
const minus = 0x2d;
const zero = 0x30;
const nine = 0x39;
const backslash = 0x5c;

/** Hashes the keys of COPY lines, as bytes. Only for columns whose values have one text each; a value that is written in
 * another way is not accepted. */
export class KeyReader {
  /** of the key last read */
  first = 0;
  second = 0;
  readonly #positions: readonly number[];
  readonly #forms: readonly KeyForm[];
  readonly #seed: number;

  private constructor(positions: readonly number[], forms: readonly KeyForm[], seed: number) {
    this.#positions = positions;
    this.#forms = forms;
    this.#seed = seed;
  }

  /** @param columns in the order of the line's fields
   * @param key among them
   * @param seed tells the keys of several tables apart
   * @returns undefined when a column of the key may hold one value as several texts */
  static of(
    columns: readonly TargetColumn[],
    key: readonly TargetColumn[],
    seed: number,
  ): KeyReader | undefined {
    const inOrder = key
      .map((column) => ({ position: columns.indexOf(column), form: column.keyForm }))
      .sort((a, b) => a.position - b.position);
    const forms = inOrder.flatMap(({ form }) => form ?? []);
    if (forms.length < inOrder.length || forms.length === 0) return undefined;
    return new KeyReader(
      inOrder.map(({ position }) => position),
      forms,
      Math.imul(seed + 1, 0x9e3779b1),
    );
  }

  /** @param start where the line's first value begins; a newline ends it
   * @returns false when a value of the key is NULL or not written in its one form */
  read(bytes: Buffer, start: number): boolean {
    let first = this.#seed ^ 0x811c9dc5;
    let second = this.#seed;
    let at = start;
    let next = 0;
    for (let nr = 0; ; nr += 1) {
      const fieldStart = at;
      if (nr !== this.#positions[next]) {
        while (bytes[at] !== tab && bytes[at] !== newline) at += 1;
      } else {
        for (let byte = bytes[at]!; byte !== tab && byte !== newline; byte = bytes[at]!) {
          first = Math.imul(first ^ byte, 0x01000193);
          second = (Math.imul(second, 0x5bd1e995) + byte) | 0;
          at += 1;
        }
        if (!isInForm(this.#forms[next]!, bytes, fieldStart, at)) return false;
        first = Math.imul(first ^ tab, 0x01000193);
        second ^= second >>> 15;
        next += 1;
        if (next === this.#positions.length) break;
      }
      if (bytes[at] === newline) return false;
      at += 1;
    }
    this.first = first ^ (first >>> 16);
    // Never both 0, which means nothing in a KeySet.
    this.second = second === 0 ? 1 : second;
    return true;
  }
}

function isInForm(form: KeyForm, bytes: Buffer, start: number, end: number): boolean {
  switch (form) {
    case "integer":
      return isInteger(bytes, start, end);
    case "uuid":
      return end - start === 36 && hasDashes(bytes, start, end, [8, 13, 18, 23], isLowerHex);
    case "date":
      return end - start === 10 && hasDashes(bytes, start, end, [4, 7], isDigit);
    case "text":
      // A varchar of limited length may lose spaces at its end.
      return bytes[end - 1] !== space && !hasByte(bytes, start, end, backslash);
  }
}

function hasByte(bytes: Buffer, start: number, end: number, wanted: number): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at] === wanted) return true;
  return false;
}

/** No plus, no zeros in front. */
function isInteger(bytes: Buffer, start: number, end: number): boolean {
  const isNegative = bytes[start] === minus;
  const first = isNegative ? start + 1 : start;
  if (first >= end || (bytes[first] === zero && (isNegative || end - first > 1))) return false;
  for (let at = first; at < end; at += 1) if (!isDigit(bytes[at]!)) return false;
  return true;
}

function hasDashes(
  bytes: Buffer,
  start: number,
  end: number,
  dashes: readonly number[],
  isOther: (byte: number) => boolean,
): boolean {
  for (let at = start; at < end; at += 1) {
    if (dashes.includes(at - start) ? bytes[at] !== minus : !isOther(bytes[at]!)) return false;
  }
  return true;
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= nine;
}

function isLowerHex(byte: number): boolean {
  return isDigit(byte) || (byte >= 0x61 && byte <= 0x66);
}
