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
  /** rows as they will be, the last of those that have the same key counts; a list for each column of the selection. The server
   * says which keys are the same: 1.0 and 1.00 are. */
  readonly rows: readonly TextColumn[];
  /** for each row; false: it will be gone */
  readonly isThere: readonly boolean[];
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
  /** text counts by its bytes in UTF-8: the other server has another encoding */
  readonly isPortable?: boolean | undefined;
}

/** A query for the rows of a selection, with the names that columns have in the table, and its parameters. */
export function selectRows(selection: RowSelection): {
  readonly sql: string;
  readonly parameters: readonly (TextColumn | readonly boolean[])[];
} {
  const { from, columns, condition, correction, limit } = selection;
  const list = columns.map((column) => `t.${quoteIdent(column.name)}`).join(", ");
  const isWanted = condition === undefined ? "" : `(${condition})`;
  const limited = (sql: string) =>
    limit === undefined
      ? sql
      : `select ${list} from (${sql}) as t order by ${inKeyOrder(selection)} limit ${limit}`;
  if (correction === undefined) {
    return { sql: limited(`select ${list} from ${from} t${where(isWanted)}`), parameters: [] };
  }
  const names = columns.map((column) => quoteIdent(column.name));
  const isThere = unusedName(columns, "is_there");
  const nr = unusedName(columns, "nr");
  const rows = typedRows(columns, names, [
    `u${columns.length} as ${isThere}`,
    `u${columns.length + 1} as ${nr}`,
  ]);
  const key = correction.key.map((column) => `g.${quoteIdent(column.name)}`);
  const isSameKey = correction.key
    .map((column, at) => `${key[at]} = t.${quoteIdent(column.name)}`)
    .join(" and ");
  const isLeftOut = `exists (select from (${rows}) g where ${isSameKey})`;
  const last = `select distinct on (${key.join(", ")}) * from (${rows}) g order by ${key.join(", ")}, g.${nr} desc`;
  const sql = `select ${list} from ${from} t${where(`not ${isLeftOut}`, isWanted)}
    union all select ${list} from (${last}) t${where(`t.${isThere}`, isWanted)}`;
  return { sql: limited(sql), parameters: [...correction.rows, correction.isThere] };
}

function unusedName(columns: readonly TargetColumn[], wish: string): string {
  return columns.some((column) => column.name === wish) ? unusedName(columns, `${wish}_`) : wish;
}

function where(...conditions: readonly string[]): string {
  const all = conditions.filter((condition) => condition !== "");
  return all.length === 0 ? "" : ` where ${all.join(" and ")}`;
}

/** The same order on servers whose collations differ. */
function inKeyOrder({ key, isPortable }: RowSelection): string {
  return key
    .map(({ name, collation, type }) => {
      const column = `t.${quoteIdent(name)}`;
      const isText = collation !== "" || /^(?:text|character|name)/.test(type);
      if (!isText) return column;
      return isPortable === true ? utf8Bytes(`${column}::text`) : `${column} collate "C"`;
    })
    .join(", ");
}

/** The bytes of a text in UTF-8, which are in the order of its characters, as SQL.
 * Source: PostgreSQL manual, Binary String Functions */
export function utf8Bytes(text: string): string {
  return `pg_catalog.convert_to(${text}, 'UTF8')`;
}

/** Sums a table up on the server, in one pass that can use several processes and moves no rows. The order of rows does not
 * matter. What goes into the hash is the text of the values: it is the same on all versions as long as types and format settings
 * are. */
export async function tableChecksum(
  db: Database,
  selection: RowSelection,
  isCountOnly: boolean,
): Promise<TableChecksum> {
  const sum = isCountOnly
    ? "null::text"
    : `coalesce(sum(${rowHash(selection.columns, selection)} & 9223372036854775807), 0)::text`;
  const { sql, parameters } = selectRows(selection);
  return db.queryOne<ChecksumRow>(
    `select count(*) as rows, ${sum} as checksum from (${sql}) as t`,
    parameters,
  );
}

/** Hash of the text of a row or key of `t`, an int8: the hashes of its columns, each with a seed of its own. That is as quick as
 * writing the values down; to hash the text of the whole row takes more than twice as long. */
export function rowHash(
  columns: readonly TargetColumn[],
  { isPortable }: Pick<RowSelection, "isPortable">,
): string {
  const hashes = columns.map((column, nr) => {
    const own = columnText(column);
    const text = isPortable === true ? `pg_catalog.encode(${utf8Bytes(own)}, 'escape')` : own;
    const hash = `pg_catalog.hashtextextended(${text} collate "C", ${nr + 1})`;
    return `coalesce(${hash}, ${nr + 1})`;
  });
  return `(${hashes.join(" # ")})`;
}

/** A cast that somebody has made may leave something out: then it is what the output function writes. */
function columnText({ name, isTypeOfUser }: TargetColumn): string {
  const value = `t.${quoteIdent(name)}`;
  if (!isTypeOfUser) return `${value}::text`;
  return `case when num_nulls(${value}) = 0 then format('%s', ${value}) end`;
}

/** Rows out of parameters $1 ..: a text array for each column, then a boolean array; each row has its number.
 * @param names of the columns, as SQL
 * @param more further items of the list: the boolean and the number are called as columns that follow */
function typedRows(
  columns: readonly TargetColumn[],
  names: readonly string[],
  more: readonly string[],
): string {
  const values = columns.map((column, nr) => `u${nr}::${column.type} as ${names[nr]}`);
  const arrays = [...columns.map((_column, nr) => `$${nr + 1}::text[]`), `$${columns.length + 1}::bool[]`];
  const plain = [...arrays, "nr"].map((_array, nr) => `u${nr}`);
  return `select ${[...values, ...more].join(", ")} from unnest(${arrays.join(", ")}) with ordinality as u(${plain.join(", ")})`;
}
