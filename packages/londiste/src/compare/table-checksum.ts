import type { Database } from "@skytools/skytools";
import { quoteIdent } from "@skytools/skytools";
import type { TargetColumn } from "../apply/target-table.ts";

/** Number of rows and the sum of their hashes, as text: the sum has more digits than a number can hold. */
export interface TableChecksum {
  readonly rows: bigint;
  /** null with --count-only */
  readonly checksum: string | null;
}

/** Rows that are to be taken as they will be, not as they are. */
export interface RowCorrection {
  readonly key: readonly TargetColumn[];
  /** keys of rows to leave out, a list for each key column */
  readonly leftOut: readonly TextColumn[];
  /** rows to count in, a list for each column */
  readonly added: readonly TextColumn[];
}

export type TextColumn = readonly (string | null)[];

interface ChecksumRow {
  rows: bigint;
  checksum: string | null;
}

/** What is looked at of a table. */
export interface RowSelection {
  /** as SQL, with ONLY where children are others' */
  readonly from: string;
  /** to look at, in this order */
  readonly columns: readonly TargetColumn[];
  /** SQL over the table's columns */
  readonly condition?: string | undefined;
  readonly correction?: RowCorrection | undefined;
  /** columns of the key: with `limit`, rows are taken in their order */
  readonly key: readonly TargetColumn[];
  readonly limit?: number | undefined;
}

/** A query for the rows of a selection, with the names that columns have in the table, and its parameters. */
export function selectRows(selection: RowSelection): {
  readonly sql: string;
  readonly parameters: readonly TextColumn[];
} {
  const { from, columns, condition, correction, key, limit } = selection;
  const list = columns.map((column) => `t.${quoteIdent(column.name)}`).join(", ");
  const isWanted = condition === undefined ? "" : `(${condition})`;
  const limited = (sql: string) =>
    limit === undefined
      ? sql
      : `select ${list} from (${sql}) as t order by ${inKeyOrder(key)} limit ${limit}`;
  if (correction === undefined) {
    return { sql: limited(`select ${list} from ${from} t${where(isWanted)}`), parameters: [] };
  }
  const { leftOut, added } = correction;
  const sameKey = correction.key.map((column, nr) => `g.k${nr} = t.${quoteIdent(column.name)}`);
  const isLeftOut = `exists (select from (${typedRows(correction.key, keyNames(correction.key), 1)}) g where ${sameKey.join(" and ")})`;
  const names = columns.map((column) => quoteIdent(column.name));
  const sql = `select ${list} from ${from} t${where(`not ${isLeftOut}`, isWanted)}
    union all select ${list} from (${typedRows(columns, names, 1 + correction.key.length)}) t${where(isWanted)}`;
  return { sql: limited(sql), parameters: [...leftOut, ...added] };
}

function keyNames(key: readonly TargetColumn[]): string[] {
  return key.map((_column, nr) => `k${nr}`);
}

function where(...conditions: readonly string[]): string {
  const all = conditions.filter((condition) => condition !== "");
  return all.length === 0 ? "" : ` where ${all.join(" and ")}`;
}

/** The same order on servers whose collations differ. */
function inKeyOrder(key: readonly TargetColumn[]): string {
  return key
    .map(({ name, collation, type }) => {
      const isText = collation !== "" || /^(?:text|character|name)/.test(type);
      return `t.${quoteIdent(name)}${isText ? ' collate "C"' : ""}`;
    })
    .join(", ");
}

/** Sums a table up on the server, in one pass that can use several processes and moves no rows. The order of rows does not
 * matter. What goes into the hash is the text of the row: it is the same on all versions as long as types and format settings
 * are. */
export async function tableChecksum(
  db: Database,
  selection: RowSelection,
  isCountOnly: boolean,
): Promise<TableChecksum> {
  const sum = isCountOnly
    ? "null::text"
    : `coalesce(sum(${rowHash(selection.columns)} & 9223372036854775807), 0)::text`;
  const { sql, parameters } = selectRows(selection);
  return db.queryOne<ChecksumRow>(
    `select count(*) as rows, ${sum} as checksum from (${sql}) as t`,
    parameters,
  );
}

/** Hash of the text of a row or key of `t`, an int8. */
export function rowHash(columns: readonly TargetColumn[]): string {
  return `pg_catalog.hashtextextended((${rowText(columns)}) collate "C", 0)`;
}

/** Rows out of one text array parameter for each column.
 * @param names of the columns, as SQL */
function typedRows(
  columns: readonly TargetColumn[],
  names: readonly string[],
  firstParameter: number,
): string {
  const values = columns.map((column, nr) => `u${nr}::${column.type} as ${names[nr]}`);
  const arrays = columns.map((_column, nr) => `$${firstParameter + nr}::text[]`);
  const plain = columns.map((_column, nr) => `u${nr}`);
  return `select ${values.join(", ")} from unnest(${arrays.join(", ")}) as u(${plain.join(", ")})`;
}

function rowText(columns: readonly TargetColumn[]): string {
  return `row(${columns.map((column) => `t.${quoteIdent(column.name)}`).join(", ")})::text`;
}
