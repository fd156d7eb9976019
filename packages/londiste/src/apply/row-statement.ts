import { quoteIdent, quoteLiteral, SkytoolsError, urlDecodeRow } from "@skytools/skytools";
import type { RowEventKind } from "./event-kind.ts";
import { parseFlatJson } from "./flat-json.ts";
import type { TargetColumn, TargetTable } from "./target-table.ts";

/** The columns of a row event. Not for partial SQL, whose data is a piece of a statement. */
export function decodeRow(format: "json" | "url", data: string): ReadonlyMap<string, string | null> {
  return format === "json" || data.startsWith("{") ? parseFlatJson(data) : urlDecodeRow(data);
}

/** The statement that replays one row event; undefined when there is nothing to do.
 * Generated columns are left out: the target computes its own.
 * @throws SkytoolsError EVENT_DATA
 * Source: spec/londiste.md 9.2 and 9.3 */
export function rowStatement(table: TargetTable, event: RowEventKind, data: string): string | undefined {
  if (event.format === "sql") return partialSql(table, event, data);
  const generated = new Set(table.columns.filter((column) => column.isGenerated).map((column) => column.name));
  const row = [...decodeRow(event.format, data)].filter(([name]) => !generated.has(name));
  if (event.operation === "insert") return insertStatement(table, row);
  const where = keyCondition(event, new Map(row));
  if (event.operation === "delete") return `delete from ${table.only}${table.sqlName} where ${where};`;
  const fixed = new Set(table.columns.filter(isNeverSet).map((column) => column.name));
  const changes = row.filter(([name]) => !event.key?.includes(name) && !fixed.has(name));
  if (changes.length === 0) return undefined;
  const settings = changes.map(([name, value]) => `${quoteIdent(name)} = ${literal(value)}`);
  return `update ${table.only}${table.sqlName} set ${settings.join(", ")} where ${where};`;
}

function partialSql(table: TargetTable, event: RowEventKind, data: string): string {
  switch (event.operation) {
    case "insert":
      return `insert into ${table.sqlName} ${data};`;
    case "update":
      return `update ${table.only}${table.sqlName} set ${data};`;
    case "delete":
      return `delete from ${table.only}${table.sqlName} where ${data};`;
  }
}

function insertStatement(table: TargetTable, row: readonly (readonly [string, string | null])[]): string {
  if (row.length === 0) return `insert into ${table.sqlName} default values;`;
  const overriding = table.columns.some((column) => column.isIdentityAlways) ? " overriding system value" : "";
  const names = row.map(([name]) => quoteIdent(name));
  const values = row.map(([, value]) => literal(value));
  return `insert into ${table.sqlName} (${names.join(", ")})${overriding} values (${values.join(", ")});`;
}

function keyCondition(event: RowEventKind, row: ReadonlyMap<string, string | null>): string {
  const key = event.key ?? [];
  if (key.length === 0) throw new SkytoolsError("EVENT_DATA", "event of a table without a key");
  return key
    .map((name) => {
      if (!row.has(name)) throw new SkytoolsError("EVENT_DATA", `event lacks its key column "${name}"`);
      return `${quoteIdent(name)} = ${literal(row.get(name) ?? null)}`;
    })
    .join(" and ");
}

/** The key of an event as `a=1, b=x`, for messages. */
export function describeKey(event: RowEventKind, data: string): string {
  if (event.format === "sql" || event.key === undefined) return "";
  try {
    const row = decodeRow(event.format, data);
    return event.key.map((name) => `${name}=${shorten(row.get(name) ?? "NULL")}`).join(", ");
  } catch {
    return "";
  }
}

function shorten(value: string): string {
  return value.length > 60 ? `${value.slice(0, 60)}...` : value;
}

/** The server refuses any value for an always-identity column in an update; it does not change on the source either. */
function isNeverSet(column: TargetColumn): boolean {
  return column.isIdentityAlways;
}

function literal(value: string | null): string {
  return value === null ? "null" : quoteLiteral(value);
}
