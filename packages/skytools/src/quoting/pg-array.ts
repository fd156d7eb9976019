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

// Blanks are the server's: it leaves the others of Unicode bare, and they belong to the item.
const opening = /(?:\[[^\]]*\]=)?\{[ \t\n\v\f\r]*/y;
/* An item and what follows it. Runs of plain characters are loops of their own: an alternation in a loop exhausts the stack on an
 * item of megabytes. */
const itemAndEnd =
  /[ \t\n\v\f\r]*(?:"([^"\\]*(?:\\.[^"\\]*)*)"[ \t\n\v\f\r]*|([^"{},\\]*(?:\\.[^"{},\\]*)*))([,}])/sy;

/** The items of a one-dimensional PostgreSQL array text; null stays null.
 * @throws UsageError for malformed or nested arrays
 * Source: spec/framework.md 7.2 (parse_pgarray); PostgreSQL manual, "Array Input and Output Syntax" */
export function parsePgArray(text: string): (string | null)[];
export function parsePgArray(text: null): null;
export function parsePgArray(text: string | null): (string | null)[] | null;
export function parsePgArray(text: string | null): (string | null)[] | null {
  if (text === null) return null;
  opening.lastIndex = 0;
  if (!opening.test(text)) throw new UsageError("malformed array text");
  let at = opening.lastIndex;
  const items: (string | null)[] = [];
  if (text[at] === "}" && at === text.length - 1) return items;
  for (;;) {
    itemAndEnd.lastIndex = at;
    const [, quoted, plain = "", end] = itemAndEnd.exec(text) ?? [];
    if (end === undefined) throw new UsageError("malformed or nested array text");
    items.push(quoted === undefined ? plainItem(plain.replace(/[ \t\n\v\f\r]+$/, "")) : unescapeItem(quoted));
    at = itemAndEnd.lastIndex;
    if (end === "}") break;
  }
  if (at !== text.length) throw new UsageError("malformed array text");
  return items;
}

function plainItem(text: string): string | null {
  if (text === "") throw new UsageError("malformed array text");
  return /^null$/i.test(text) ? null : unescapeItem(text);
}

function unescapeItem(text: string): string {
  return text.includes("\\") ? text.replace(/\\(.)/gs, "$1") : text;
}
