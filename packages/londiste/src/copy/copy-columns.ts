import { isUtf8 } from "node:buffer";
import type { Log, PipeCopyOptions, TableStructure } from "@skytools/skytools";
import { copyRow, parseCopyRow, quoteIdent, rewriteCopyRows, SkytoolsError } from "@skytools/skytools";
import { RepairedText } from "../apply/repaired-text.ts";
import type { Row, TableHandler } from "../handler/handler.ts";

/** What decides which columns of a table are copied, and how their values change on the way. */
export interface CopiedColumns {
  readonly log: Log;
  /** set-wide name, for messages */
  readonly table: string;
  readonly handler: TableHandler;
}

/** A column on its way. */
export interface ColumnPair {
  readonly source: string;
  readonly target: string;
}

/** Columns that both sides have, in the order of the source. Generated columns are computed by the target, and are not copied into
 * ordinary ones either, where no event would bring them up to date.
 * Source: spec/sql-node-londiste.md T52 */
export function columnPairs(
  { log, table, handler }: CopiedColumns,
  from: TableStructure,
  to: TableStructure,
): ColumnPair[] {
  const pairs: ColumnPair[] = [];
  const wanted = new Set<string>();
  for (const { name: source, generated } of from.columns) {
    const target = handler.copyColumn === undefined ? source : handler.copyColumn(source);
    if (target === undefined) continue;
    wanted.add(target);
    const isSent = generated === undefined || from.primaryKey.includes(source);
    if (!isSent && to.column(target) !== undefined) {
      if (to.column(target)?.generated === undefined) log.warn(notSent(table, target));
    } else if (to.copyColumns.some((column) => column.name === target)) pairs.push({ source, target });
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

/** What is to be said of a column that is generated on the provider and an ordinary one here. */
export function notSent(table: string, column: string): string {
  return `Table ${table} column ${column} is generated on provider and stays empty here: make it generated here too`;
}

export function listOf(columns: readonly ColumnPair[], side: keyof ColumnPair): string {
  return columns.map((column) => quoteIdent(column[side])).join(", ");
}

/** The handler's change of each row: a call for each stream of rows. Without one no row is looked at. */
export function rowChange(
  { log, table, handler }: CopiedColumns,
  columns: readonly ColumnPair[],
): () => Pick<PipeCopyOptions, "transform"> {
  if (handler.copyRow === undefined && handler.repairsText !== true) return () => ({});
  const repairedText = handler.repairsText === true ? new RepairedText(log) : undefined;
  const parse = (text: string): Row => {
    const values = parseCopyRow(text);
    return new Map(columns.map(({ source }, nr) => [source, values[nr] ?? null]));
  };
  const rewrite = (line: Buffer): string => {
    const read = repairedText?.copiedRow(line, table, parse) ?? parse(textOf(line, table));
    const row = handler.copyRow?.(read) ?? read;
    return copyRow(columns.map(({ source }) => row.get(source) ?? null)).slice(0, -1);
  };
  return () => ({ transform: rewriteCopyRows(rewrite) });
}

function textOf(line: Buffer, table: string): string {
  if (isUtf8(line)) return line.toString("utf8");
  throw new SkytoolsError("COPY", `table "${table}": text that is not valid UTF-8`, { retry: "later" });
}
