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
  /** JSON array of objects: the keys of rows to leave out */
  readonly leftOut: string;
  /** JSON array of objects: rows to count in */
  readonly added: string;
}

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
  const { key } = correction;
  const sameKey = key.map((column) => `g.${quoteIdent(column.name)} = t.${quoteIdent(column.name)}`);
  const added = columns.map((column) => asType(column)).join(", ");
  return db.queryOne<ChecksumRow>(
    `with gone as materialized (
       select * from pg_catalog.json_to_recordset($1::json) as g(${definitions(key)}))
     select count(*) as rows, ${sum} as checksum from (
       ${rows} where not exists (select from gone g where ${sameKey.join(" and ")})
       union all
       select ${added} from pg_catalog.json_to_recordset($2::json) as x(${definitions(columns)})) as t`,
    [correction.leftOut, correction.added],
  );
}

function rowText(columns: readonly TargetColumn[]): string {
  return `row(${columns.map((column) => `t.${quoteIdent(column.name)}`).join(", ")})::text`;
}

/** json values are logged as strings that hold their text. */
function definitions(columns: readonly TargetColumn[]): string {
  return columns.map((column) => `${quoteIdent(column.name)} ${column.isJson ? "text" : column.type}`).join(", ");
}

function asType(column: TargetColumn): string {
  const name = `x.${quoteIdent(column.name)}`;
  return column.isJson ? `${name}::${column.type} as ${quoteIdent(column.name)}` : name;
}
