import type { Database } from "@skytools/skytools";
import { quoteFqIdent, quoteIdent } from "@skytools/skytools";
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

/** Sums a table up on the server, in one pass that can use several processes and moves no rows. The order of rows does not
 * matter. What goes into the hash is the text of the row: it is the same on all versions as long as types and format settings
 * are.
 * @param table schema.table, unquoted
 * @param columns to look at, in this order */
export async function tableChecksum(
  db: Database,
  table: string,
  only: string,
  columns: readonly TargetColumn[],
  isCountOnly: boolean,
  correction?: RowCorrection,
): Promise<TableChecksum> {
  const list = columns.map((column) => `t.${quoteIdent(column.name)}`).join(", ");
  const sum = isCountOnly
    ? "null::text"
    : `coalesce(sum(pg_catalog.hashtextextended((${rowText(columns)}) collate "C", 0) & 9223372036854775807), 0)::text`;
  const rows = `select ${list} from ${only}${quoteFqIdent(table)} t`;
  if (correction === undefined) {
    const row = await db.queryOne<ChecksumRow>(
      `select count(*) as rows, ${sum} as checksum from (${rows}) as t`,
    );
    return row;
  }
  const { key, leftOut, added } = correction;
  const sameKey = key.map((column, nr) => `g.k${nr} = t.${quoteIdent(column.name)}`);
  return db.queryOne<ChecksumRow>(
    `with gone as materialized (${typedRows(key, "k", 1)})
     select count(*) as rows, ${sum} as checksum from (
       ${rows} where not exists (select from gone g where ${sameKey.join(" and ")})
       union all
       ${typedRows(columns, "c", 1 + key.length)}) as t`,
    [...leftOut, ...added],
  );
}

/** Rows out of one text array parameter for each column. */
function typedRows(columns: readonly TargetColumn[], prefix: string, firstParameter: number): string {
  const names = columns.map((_column, nr) => `${prefix}${nr}`);
  const values = columns.map((column, nr) => `${names[nr]}::${column.type} as ${names[nr]}`);
  const arrays = columns.map((_column, nr) => `$${firstParameter + nr}::text[]`);
  return `select ${values.join(", ")} from unnest(${arrays.join(", ")}) as u(${names.join(", ")})`;
}

function rowText(columns: readonly TargetColumn[]): string {
  return `row(${columns.map((column) => `t.${quoteIdent(column.name)}`).join(", ")})::text`;
}
