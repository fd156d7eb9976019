import type { Token } from "../grammar/token.ts";

/** What the user chose in a command, by the names of the grammar. */
export class CommandValues {
  readonly #words: readonly { readonly key: string; readonly token: Token }[];

  constructor(words: readonly { readonly key: string; readonly token: Token }[]) {
    this.#words = words;
  }

  /** The value given last; undefined when there is none, and for `*`. */
  text(key: string): string | undefined {
    const token = this.#last(key);
    return token === undefined || token.kind === "symbol" ? undefined : token.value;
  }

  /** The value of something that the grammar requires. */
  required(key: string): string {
    const value = this.text(key);
    if (value === undefined) throw new Error(`the grammar does not require ${key}`);
    return value;
  }

  /** every value, in the order typed */
  all(key: string): string[] {
    return this.#words.filter((kept) => kept.key === key).map(({ token }) => token.value);
  }

  has(key: string): boolean {
    return this.#last(key) !== undefined;
  }

  /** `*` was given last */
  isAll(key: string): boolean {
    return this.#last(key)?.kind === "symbol";
  }

  isNumber(key: string): boolean {
    return this.#last(key)?.kind === "number";
  }

  /** keys and values in the order typed */
  entries(): [key: string, value: string][] {
    return this.#words.map(({ key, token }) => [key, token.value]);
  }

  #last(key: string): Token | undefined {
    return this.#words.findLast((kept) => kept.key === key)?.token;
  }
}
