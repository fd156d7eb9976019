import type { TableStructure } from "@skytools/skytools";
import { copyRow, parseCopyRow, quoteIdent, rewriteCopyRows, SkytoolsError } from "@skytools/skytools";
import type { Row, TableHandler } from "../handler/handler.ts";
import type { TableCopyInput } from "./table-copy.ts";

/** A column on its way. */
export interface ColumnPair {
  readonly source: string;
  readonly target: string;
}

/** Columns that both sides have, in the order of the source. Generated columns are computed by the target. */
export function columnPairs(
  input: Pick<TableCopyInput, "log" | "table" | "handler">,
  from: TableStructure,
  to: TableStructure,
): ColumnPair[] {
  const { log, table, handler } = input;
  const pairs: ColumnPair[] = [];
  const wanted = new Set<string>();
  for (const { name: source } of from.columns) {
    const target = handler.copyColumn === undefined ? source : handler.copyColumn(source);
    if (target === undefined) continue;
    wanted.add(target);
    if (to.copyColumns.some((column) => column.name === target)) pairs.push({ source, target });
    else if (to.column(target) === undefined) {
      log.warn(`Table ${table} column ${target} does not exist on subscriber`);
    }
  }
  for (const column of to.columns) {
    if (wanted.has(column.name) || column.generated !== undefined || handler.copyColumn !== undefined)
      continue;
    log.warn(`Table ${table} column ${column.name} does not exist on provider`);
  }
  if (pairs.length === 0) throw new SkytoolsError("COPY", `table "${table}": no common columns found`);
  return pairs;
}

export function listOf(columns: readonly ColumnPair[], side: keyof ColumnPair): string {
  return columns.map((column) => quoteIdent(column[side])).join(", ");
}

/** The handler's change of each row, for one stream of rows; without one no row is looked at. */
export function rowChange(handler: TableHandler, columns: readonly ColumnPair[]) {
  if (handler.copyRow === undefined) return {};
  const change = (row: Row) => handler.copyRow?.(row) ?? row;
  const transform = rewriteCopyRows((line) => {
    const values = parseCopyRow(line.toString("utf8"));
    const row = change(new Map(columns.map(({ source }, nr) => [source, values[nr] ?? null])));
    return copyRow(columns.map(({ source }) => row.get(source) ?? null)).slice(0, -1);
  });
  return { transform };
}
