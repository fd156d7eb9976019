/** The highest of many ids, held and compared as text: of numbers without sign the longer one is larger. */
export class HighestId {
  #text: Buffer = Buffer.from("0");

  get value(): bigint {
    return BigInt(this.#text.toString("latin1"));
  }

  take(bytes: Buffer, start: number, end: number): void {
    if (!this.isBelow(bytes, start, end)) return;
    const text = this.#text;
    // A call of copy() costs more than so few bytes.
    if (end - start === text.length)
      for (let at = 0; at < text.length; at += 1) text[at] = bytes[start + at]!;
    else this.#text = Buffer.from(bytes.subarray(start, end));
  }

  takeAll(other: HighestId): void {
    this.take(other.#text, 0, other.#text.length);
  }

  /** True when the given id is higher. */
  isBelow(bytes: Buffer, start: number, end: number): boolean {
    const known = this.#text;
    if (end - start !== known.length) return end - start > known.length;
    for (let at = 0; at < known.length; at += 1) {
      if (bytes[start + at] !== known[at]) return bytes[start + at]! > known[at]!;
    }
    return false;
  }
}
