import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { UsageError } from "../errors.ts";
import { copyRow } from "../quoting/copy-text.ts";
import { type ArrayItem, makePgArray } from "../quoting/pg-array.ts";
import { quoteFqIdent, quoteIdent } from "../quoting/quote-ident.ts";
import { toJson } from "../terminal/json.ts";
import type { Database } from "./database.ts";

export type InsertedRow = Readonly<Record<string, unknown>> | readonly unknown[];

export interface InsertRowsOptions {
  /** plain names; default: the keys of the first row */
  readonly columns?: readonly string[];
}

/** Inserts rows by one COPY, as they come: memory does not grow with their number. Missing values are NULL; booleans become `t` and
 * `f`, dates ISO text, bytes hex, lists arrays, other objects JSON.
 * @param table `schema.table`, plain
 * @returns how many rows
 * @throws UsageError for rows that are lists without `columns`; DatabaseError
 * Source: spec/framework.md 7.3 (magic_insert) */
export async function insertRows(
  db: Database,
  table: string,
  rows: Iterable<InsertedRow> | AsyncIterable<InsertedRow>,
  options: InsertRowsOptions = {},
): Promise<number> {
  const iterator = iteratorOf(rows);
  const first = await iterator.next();
  if (first.done === true) return 0;
  const columns = options.columns ?? columnsOf(first.value);
  const list = columns.map(quoteIdent).join(", ");
  let count = 0;
  async function* lines() {
    for (let next = first; next.done !== true; next = await iterator.next()) {
      count++;
      yield copyRow(valuesOf(next.value, columns).map(copyText));
    }
  }
  await pipeline(Readable.from(lines()), db.copyIn(`copy ${quoteFqIdent(table)} (${list}) from stdin`));
  return count;
}

function iteratorOf(rows: Iterable<InsertedRow> | AsyncIterable<InsertedRow>) {
  return Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]();
}

function columnsOf(row: InsertedRow): string[] {
  if (!isList(row)) return Object.keys(row);
  throw new UsageError("rows that are lists need the names of their columns");
}

function valuesOf(row: InsertedRow, columns: readonly string[]): readonly unknown[] {
  return isList(row) ? columns.map((_name, index) => row[index]) : columns.map((name) => row[name]);
}

function isList(row: InsertedRow): row is readonly unknown[] {
  return Array.isArray(row);
}

function copyText(value: unknown): string | null {
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
      return value ? "t" : "f";
    case "number":
    case "bigint":
      return String(value);
    case "object":
      return value === null ? null : objectText(value);
    case "undefined":
      return null;
    case "symbol":
    case "function":
      throw new UsageError(`a ${typeof value} cannot be written to a table`);
  }
}

function objectText(value: object): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString("hex")}`;
  return Array.isArray(value) ? makePgArray(value as ArrayItem[]) : toJson(value);
}
