/** What an event of a londiste queue asks for, as its type and first extra field tell. */
export type EventKind =
  | RowEventKind
  | { readonly kind: "truncate"; readonly table: string }
  | { readonly kind: "cascade" | "londiste" | "unknown" };

/** A change of one row. `key` is undefined where the key is part of the data (partial SQL). */
export interface RowEventKind {
  readonly kind: "row";
  readonly operation: RowOperation;
  readonly format: EventFormat;
  readonly table: string;
  readonly key: readonly string[] | undefined;
}

export type RowOperation = "insert" | "update" | "delete";

/** How ev_data is written: pgq.jsontriga, pgq.logutriga, pgq.sqltriga. */
export type EventFormat = "json" | "url" | "sql";

const operations = {
  I: "insert",
  U: "update",
  D: "delete",
  INSERT: "insert",
  UPDATE: "update",
  DELETE: "delete",
} as const;

const unknown: EventKind = { kind: "unknown" };

/** Classifies an event. The table is the set-wide name: triggers of renamed tables put it into extra1.
 * Source: spec/londiste.md 9.2, spec/sql-pgq.md 8 */
export function classifyEvent(type: string | null, extra1: string | null): EventKind {
  if (type === null) return unknown;
  if (type.startsWith("pgq.")) return { kind: "cascade" };
  if (type.startsWith("londiste.")) return { kind: "londiste" };
  if (extra1 === null) return unknown;
  if (type.startsWith("{")) return jsonEvent(type, extra1);
  if (type === "R") return { kind: "truncate", table: extra1 };
  const match = /^([IUD])(?::(.*))?$/s.exec(type);
  if (match === null) return unknown;
  const operation = operations[match[1] as "I" | "U" | "D"];
  if (match[2] === undefined) {
    return { kind: "row", operation, format: "sql", table: extra1, key: undefined };
  }
  const key = match[2] === "" ? [] : match[2].split(",").map((name) => name.trim());
  return { kind: "row", operation, format: "url", table: extra1, key };
}

function jsonEvent(type: string, table: string): EventKind {
  const parsed = parseObject(type);
  const { op, pkey } = parsed;
  if (op === "TRUNCATE") return { kind: "truncate", table };
  if (op !== "INSERT" && op !== "UPDATE" && op !== "DELETE") return unknown;
  const key = Array.isArray(pkey) ? pkey.filter((name) => typeof name === "string") : [];
  return { kind: "row", operation: operations[op], format: "json", table, key };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
