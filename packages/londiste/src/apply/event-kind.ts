/** What an event of a londiste queue asks for, by its type. */
export type EventKind =
  | RowEventKind
  | { readonly kind: "truncate" | "cascade" | "londiste" | "script" | "unknown" };

/** A change of one row. The key is empty where it is part of the data (partial SQL). */
export interface RowEventKind {
  readonly kind: "row";
  readonly operation: RowOperation;
  readonly format: EventFormat;
  readonly key: readonly string[];
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

/** Classifies an event type. The table stands in extra1: triggers of renamed tables put the set-wide name there.
 * Source: spec/londiste.md 9.2, spec/sql-pgq.md 8 */
export function classifyEventType(type: string | null): EventKind {
  if (type === null) return { kind: "unknown" };
  if (type.startsWith("pgq.")) return { kind: "cascade" };
  if (type.startsWith("londiste.")) return { kind: "londiste" };
  if (type.startsWith("{")) return jsonType(type);
  if (type === "R") return { kind: "truncate" };
  if (type === "EXECUTE") return { kind: "script" };
  const match = /^([IUD])(?::(.*))?$/s.exec(type);
  if (match === null) return { kind: "unknown" };
  const operation = operations[match[1] as "I" | "U" | "D"];
  if (match[2] === undefined) return { kind: "row", operation, format: "sql", key: [] };
  const key = match[2] === "" ? [] : match[2].split(",").map((name) => name.trim());
  return { kind: "row", operation, format: "url", key };
}

function jsonType(type: string): EventKind {
  const { op, pkey } = parseObject(type);
  if (op === "TRUNCATE") return { kind: "truncate" };
  if (op !== "INSERT" && op !== "UPDATE" && op !== "DELETE") return { kind: "unknown" };
  const key = Array.isArray(pkey) ? pkey.filter((name) => typeof name === "string") : [];
  return { kind: "row", operation: operations[op], format: "json", key };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
