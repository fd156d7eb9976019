import { UsageError } from "../errors.ts";

export type ArrayItem = string | number | bigint | boolean | null | readonly ArrayItem[];

/** PostgreSQL array text of a list, nested lists included. Items stay bare where Skytools leaves them bare.
 * Source: spec/framework.md 7.1 (make_pgarray). */
export function makePgArray(items: readonly ArrayItem[]): string {
  return `{${items.map(arrayItem).join(",")}}`;
}

function arrayItem(item: ArrayItem): string {
  if (item === null) return "NULL";
  if (typeof item === "object") return makePgArray(item);
  const text = typeof item === "boolean" ? (item ? "t" : "f") : String(item);
  if (/^[0-9a-z_.%&=()<>*/+-]+$/.test(text) && text !== "null") return text;
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** The items of an array, and arrays of them below its first dimension. */
export type NestedItems<Item> = (Item | null | NestedItems<Item>)[];

/** What the server makes at most: MAXDIM. */
const mostDimensions = 6;

// Blanks are the server's: it leaves the others of Unicode bare, and they belong to the item.
const bounds = /(?:\[[^\]]*\])+=/y;
const opening = /[ \t\n\v\f\r]*\{/y;
const closing = /[ \t\n\v\f\r]*\}/y;
const comma = /[ \t\n\v\f\r]*,/y;
// Runs of plain characters are loops of their own: an alternation in a loop exhausts the stack on an item of megabytes.
const item = /[ \t\n\v\f\r]*(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^"{},\\]*(?:\\.[^"{},\\]*)*))/sy;

/** The items of a one-dimensional PostgreSQL array text; null stays null.
 * @throws UsageError for malformed or nested arrays
 * Source: spec/framework.md 7.2 (parse_pgarray); PostgreSQL manual, "Array Input and Output Syntax" */
export function parsePgArray(text: string): (string | null)[];
export function parsePgArray(text: null): null;
export function parsePgArray(text: string | null): (string | null)[] | null;
export function parsePgArray(text: string | null): (string | null)[] | null {
  if (text === null) return null;
  return new ArrayReader(text, (each) => each).read(1) as (string | null)[];
}

/** The items of a PostgreSQL array text of any number of dimensions, without its bounds.
 * @param readItem is not asked for null
 * @throws UsageError for malformed arrays
 * Source: PostgreSQL manual, "Array Input and Output Syntax" */
export function parseNestedPgArray<Item>(text: string, readItem: (text: string) => Item): NestedItems<Item> {
  return new ArrayReader(text, readItem).read(mostDimensions);
}

class ArrayReader<Item> {
  readonly #text: string;
  readonly #readItem: (text: string) => Item;
  #at = 0;

  constructor(text: string, readItem: (text: string) => Item) {
    this.#text = text;
    this.#readItem = readItem;
  }

  read(dimensions: number): NestedItems<Item> {
    this.#take(bounds);
    if (this.#take(opening) === null) throw new UsageError("malformed array text");
    const items = this.#list(dimensions);
    if (this.#at !== this.#text.length) throw new UsageError("malformed array text");
    return items;
  }

  /** What is behind an opening brace, up to the closing one. */
  #list(dimensions: number): NestedItems<Item> {
    const items: NestedItems<Item> = [];
    if (this.#take(closing) !== null) return items;
    do {
      const isList = dimensions > 1 && this.#take(opening) !== null;
      items.push(isList ? this.#list(dimensions - 1) : this.#item());
    } while (this.#take(comma) !== null);
    if (this.#take(closing) === null) throw new UsageError("malformed or nested array text");
    return items;
  }

  #item(): Item | null {
    const [, quoted, plain = ""] = this.#take(item) ?? [];
    const text = quoted === undefined ? plainItem(withoutBlanks(plain)) : unescapeItem(quoted);
    return text === null ? null : this.#readItem(text);
  }

  #take(what: RegExp): RegExpExecArray | null {
    what.lastIndex = this.#at;
    const found = what.exec(this.#text);
    if (found !== null) this.#at = what.lastIndex;
    return found;
  }
}

/** Without blanks at its end; one behind a backslash is part of the item. */
function withoutBlanks(text: string): string {
  let end = text.length;
  while (end > 0 && " \t\n\v\f\r".includes(text[end - 1]!)) end -= 1;
  let backslashes = 0;
  while (text[end - 1 - backslashes] === "\\") backslashes += 1;
  return text.slice(0, end + (backslashes % 2));
}

function plainItem(text: string): string | null {
  if (text === "") throw new UsageError("malformed array text");
  return /^null$/i.test(text) ? null : unescapeItem(text);
}

function unescapeItem(text: string): string {
  return text.includes("\\") ? text.replace(/\\(.)/gs, "$1") : text;
}
