const firstSlots = 1024;
const maxSlots = 1 << 20;

/** Remembers keys by 64 bits of hash, 8 bytes a slot. Two keys of one hash look like one: whoever asks must be able to live with
 * a key that seems to be known. */
export class KeySet {
  #slots = new Int32Array(firstSlots * 2);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** True when so many more keys take no more than 8 MB. */
  hasRoomFor(count: number): boolean {
    return (this.#size + count) * 8 <= maxSlots * 5;
  }

  /** of memory */
  get bytes(): number {
    return this.#slots.byteLength;
  }

  /** @returns false when it was there already */
  add(first: number, second: number): boolean {
    if (this.#size * 8 >= (this.#slots.length / 2) * 5) this.#grow();
    const at = this.#find(first, second);
    if (this.#slots[at] !== 0 || this.#slots[at + 1] !== 0) return false;
    this.#slots[at] = first;
    this.#slots[at + 1] = second;
    this.#size += 1;
    return true;
  }

  has(first: number, second: number): boolean {
    const at = this.#find(first, second);
    return this.#slots[at] !== 0 || this.#slots[at + 1] !== 0;
  }

  addAll(others: KeySet): void {
    const slots = others.#slots;
    for (let at = 0; at < slots.length; at += 2) {
      if (slots[at] !== 0 || slots[at + 1] !== 0) this.add(slots[at]!, slots[at + 1]!);
    }
  }

  clear(): void {
    if (this.#size > 0) this.#slots.fill(0);
    this.#size = 0;
  }

  /** @returns the place of the key, or the free one where it belongs */
  #find(first: number, second: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = (first << 1) & mask;
    while (slots[at] !== 0 || slots[at + 1] !== 0) {
      if (slots[at] === first && slots[at + 1] === second) return at;
      at = (at + 2) & mask;
    }
    return at;
  }

  #grow(): void {
    const former = this.#slots;
    this.#slots = new Int32Array(former.length * 4);
    this.#size = 0;
    for (let at = 0; at < former.length; at += 2) {
      if (former[at] !== 0 || former[at + 1] !== 0) this.add(former[at]!, former[at + 1]!);
    }
  }
}
