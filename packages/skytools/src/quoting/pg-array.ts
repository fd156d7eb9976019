import { parse } from "postgres-array";
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

/** The items of a one-dimensional PostgreSQL array text; null stays null.
 * @throws UsageError for malformed or nested arrays
 * Source: spec/framework.md 7.2 (parse_pgarray). */
export function parsePgArray(text: string): (string | null)[];
export function parsePgArray(text: null): null;
export function parsePgArray(text: string | null): (string | null)[] | null;
export function parsePgArray(text: string | null): (string | null)[] | null {
  if (text === null) return null;
  if (!/^(?:\[[^\]]*\]=)?\{.*\}$/s.test(text)) throw new UsageError("malformed array text");
  let items: unknown[];
  try {
    items = parse(text);
  } catch (error) {
    throw new UsageError("malformed array text", { cause: error });
  }
  return items.map((item) => {
    if (typeof item === "string") return item;
    if (item === null) return null;
    throw new UsageError("nested array where a plain one was expected");
  });
}
