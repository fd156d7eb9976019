import { type Database, splitFqName } from "@skytools/skytools";

/* A script runs at the worker's position. A table that is being copied stands at another: what the script does to its rows there
 * is not what it has done to them on the root, and the events that the copy still has to replay are of the shape before it. */

/** A table as it is within the open transaction. */
export interface TableMark {
  /** two looks say the same when no row was changed between them, and no row's storage */
  readonly rows: string;
  /** columns by number, with name and type */
  readonly columns: readonly string[];
  /** those of them to which an event that does not know them does what adding them has done to the rows: nothing */
  readonly emptyColumns: readonly string[];
  /** what rows have to comply with */
  readonly rules: readonly string[];
}

/** What the open transaction has done up to now to the rows of some tables, and what shape they have.
 * @param tables local tables, plain
 * @returns nothing for a table that does not exist
 * Source: PostgreSQL manual, "The Cumulative Statistics System", pg_stat_xact_all_tables */
export async function tableMarks(
  target: Database,
  tables: readonly string[],
): Promise<ReadonlyMap<string, TableMark>> {
  const names = tables.map((name) => splitFqName(name));
  const rows = await target.query<TableMark & { nr: number }>(marksSql, [
    names.map(([schema]) => schema),
    names.map(([, table]) => table),
  ]);
  return new Map(rows.map(({ nr, ...mark }) => [tables[nr - 1] ?? "", mark]));
}

/** What was changed between two looks, if a copy that is under way cannot go on after that. Columns that were added empty, and
 * rules that were taken away, do not disturb it. */
export function disturbance(
  before: TableMark | undefined,
  after: TableMark | undefined,
): "rows" | "structure" | undefined {
  if (before === undefined || after === undefined) return before === after ? undefined : "structure";
  if (before.rows !== after.rows) return "rows";
  const isKept = before.columns.every((column) => after.columns.includes(column));
  const added = after.columns.filter((column) => !before.columns.includes(column));
  const isEmpty = added.every((column) => after.emptyColumns.includes(column));
  const isFree = after.rules.every((rule) => before.rules.includes(rule));
  return isKept && isEmpty && isFree ? undefined : "structure";
}

// TRUNCATE is not counted, but gives a new file. Where the server does not count, every look is another.
const marksSql = `
select m.nr, m.rows, c.columns, c.empty_columns as "emptyColumns",
       c.not_null || array(
         select 'constraint ' || k.oid from pg_catalog.pg_constraint k
          where k.conrelid = m.oid and k.contype in ('c', 'x')
         union all
         select 'index ' || i.indexrelid from pg_catalog.pg_index i where i.indrelid = m.oid and i.indisunique) as rules
  from (
    select t.nr::int4 as nr, c.oid,
           concat_ws(' ', sum(pg_catalog.pg_stat_get_xact_tuples_inserted(p.oid) + pg_catalog.pg_stat_get_xact_tuples_updated(p.oid)
                              + pg_catalog.pg_stat_get_xact_tuples_deleted(p.oid)),
                     string_agg(pg_catalog.pg_relation_filenode(p.oid)::text, ',' order by p.oid),
                     case when not pg_catalog.current_setting('track_counts')::bool then clock_timestamp() end) as rows
      from unnest($1::text[], $2::text[]) with ordinality as t(schema_name, table_name, nr)
      join pg_catalog.pg_namespace n on n.nspname = t.schema_name
      join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = t.table_name
     cross join lateral (select c.oid union select f.relid from pg_catalog.pg_partition_tree(c.oid) f) p
     group by t.nr, c.oid) m
 cross join lateral (
    select coalesce(array_agg(a.text), '{}') as columns,
           coalesce(array_agg(a.text) filter (where not a.attnotnull and not a.atthasdef and not a.atthasmissing and a.attidentity = ''), '{}') as empty_columns,
           coalesce(array_agg('not null ' || a.attnum) filter (where a.attnotnull), '{}') as not_null
      from (select a.*, concat_ws(' ', a.attnum, a.atttypid, a.atttypmod, nullif(a.attgenerated, ''), a.attname) as text
              from pg_catalog.pg_attribute a
             where a.attrelid = m.oid and a.attnum > 0 and not a.attisdropped) a) c`;
