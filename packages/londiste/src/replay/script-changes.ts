import { type Database, splitFqName } from "@skytools/skytools";

/* A script runs at the worker's position. The rows of a table that is being copied stand at another: what the script does to
 * them there is not what it has done to them on the root. */

/** What the open transaction has done to the rows of some tables up to now, and to their storage: tables of which two looks say
 * the same were not changed between them.
 * @param tables local tables, plain
 * @returns nothing for a table that does not exist
 * Source: PostgreSQL manual, "The Cumulative Statistics System", pg_stat_xact_all_tables */
export async function rowMarks(
  target: Database,
  tables: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const names = tables.map((name) => splitFqName(name));
  const rows = await target.query<{ nr: number; mark: string }>(marksSql, [
    names.map(([schema]) => schema),
    names.map(([, table]) => table),
  ]);
  return new Map(rows.map(({ nr, mark }) => [tables[nr - 1] ?? "", mark]));
}

// TRUNCATE is not counted, but gives a new file. Where the server does not count, every look is another.
const marksSql = `
select t.nr::int4 as nr,
       concat_ws(' ', sum(pg_catalog.pg_stat_get_xact_tuples_inserted(p.oid) + pg_catalog.pg_stat_get_xact_tuples_updated(p.oid)
                          + pg_catalog.pg_stat_get_xact_tuples_deleted(p.oid)),
                 string_agg(pg_catalog.pg_relation_filenode(p.oid)::text, ',' order by p.oid),
                 case when not pg_catalog.current_setting('track_counts')::bool then clock_timestamp() end) as mark
  from unnest($1::text[], $2::text[]) with ordinality as t(schema_name, table_name, nr)
  join pg_catalog.pg_namespace n on n.nspname = t.schema_name
  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = t.table_name
 cross join lateral (select c.oid union select f.relid from pg_catalog.pg_partition_tree(c.oid) f) p
 group by t.nr`;
