import { type ArrayItem, makePgArray, type StatementOutcome } from "@skytools/skytools";

/** A value of one column, and the type that a literal of it would have in a statement: a parameter alone has none, and
 * `%(a)s > %(b)s` would compare texts. */
export interface TypedValue {
  readonly value: unknown;
  /** undefined: as the statement wants it, like a string literal */
  readonly type: string | undefined;
}

/** Column to value. */
export type KeyRow = ReadonlyMap<string, TypedValue>;

/** Types whose values come as text but are no string literals. Numbers are of the manual's pg_type. */
const literalTypes: ReadonlyMap<number, string> = new Map([
  [17, "bytea"],
  [1082, "date"],
  [1083, "time"],
  [1114, "timestamp"],
  [1184, "timestamptz"],
  [1186, "interval"],
  [1700, "numeric"],
]);

/** The rows of a statement with the types of their values. */
export function typedRows({
  rows,
  columns,
}: Pick<StatementOutcome<Record<string, unknown>>, "rows" | "columns">): KeyRow[] {
  return rows.map(
    (row) =>
      new Map(
        columns.map(
          ({ name, typeOid }) => [name, { value: row[name], type: typeOf(row[name], typeOid) }] as const,
        ),
      ),
  );
}

/** An integer literal is an int4 if it fits, else an int8; one with a fraction is numeric.
 * Source: PostgreSQL manual, "Numeric Constants" */
function typeOf(value: unknown, typeOid: number): string | undefined {
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "string") return literalTypes.get(typeOid);
  if (typeof value !== "bigint" && typeof value !== "number") return undefined;
  if (!Number.isFinite(Number(value))) return "float8";
  if (typeof value === "number" && !Number.isInteger(value)) return "numeric";
  return Math.abs(Number(value)) < 2 ** 31 ? "int4" : "int8";
}

/** The text of a value as the server writes it; null stays null. */
export function textOf(value: unknown): string | null {
  if (value === null || typeof value === "string") return value;
  if (typeof value === "bigint" || typeof value === "number" || typeof value === "boolean")
    return String(value);
  if (Array.isArray(value)) return makePgArray(value as ArrayItem[]);
  throw new TypeError(`a column has a value of type ${typeof value}`);
}
