import { HighestId } from "@skytools/pgq";
import type { KeyReader } from "./key-reader.ts";
import { KeySet } from "./key-set.ts";

const tab = 0x09;

/** The keys of all rows that were applied while their batch is still being read, of all its tables. */
export class PassedKeys {
  #keys = new KeySet();
  /** some were forgotten: any key may have been among them */
  #isComplete = true;

  addAll(keys: KeySet): void {
    if (!this.#keys.hasRoomFor(keys.size)) {
      this.#keys = new KeySet();
      this.#isComplete = false;
    }
    this.#keys.addAll(keys);
  }

  mayHave({ first, second }: KeyReader): boolean {
    return !this.#isComplete || this.#keys.has(first, second);
  }
}

/** Watches the events of a table that come in no order: one must not be applied after a later one of the same key. */
export class PassedRows {
  readonly #keys: PassedKeys;
  readonly #passed = new HighestId();
  readonly #collected = new HighestId();

  constructor(keys: PassedKeys) {
    this.#keys = keys;
  }

  /** @param headStart of the event's id, which a tab ends */
  collect(bytes: Buffer, headStart: number, headEnd: number): void {
    this.#collected.take(bytes, headStart, endOfId(bytes, headStart, headEnd));
  }

  /** What was collected is applied now. */
  pass(keys: KeySet): void {
    this.#passed.takeAll(this.#collected);
    this.#keys.addAll(keys);
  }

  /** True when a later event of this key may have been applied. */
  isLate(key: KeyReader, bytes: Buffer, headStart: number, headEnd: number): boolean {
    return this.isBehind(bytes, headStart, headEnd) && this.#keys.mayHave(key);
  }

  /** True when a later event of any key was applied. */
  isBehind(bytes: Buffer, headStart: number, headEnd: number): boolean {
    return !this.#passed.isBelow(bytes, headStart, endOfId(bytes, headStart, headEnd));
  }
}

function endOfId(bytes: Buffer, headStart: number, headEnd: number): number {
  let at = headStart;
  while (at < headEnd && bytes[at] !== tab) at += 1;
  return at;
}
