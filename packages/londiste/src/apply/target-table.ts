import type { Database } from "@skytools/skytools";
import { quoteIdent, splitFqName } from "@skytools/skytools";

/** A column of the table that events are applied to. */
export interface TargetColumn {
  readonly name: string;
  /** type with modifier, as SQL */
  readonly type: string;
  /** json, jsonb or a domain over them: event data holds their text as a JSON string */
  readonly isJson: boolean;
  /** computed by the server: never written */
  readonly isGenerated: boolean;
  /** generated always as identity: inserts need OVERRIDING SYSTEM VALUE, updates cannot set it */
  readonly isIdentityAlways: boolean;
}

/** What applying needs to know about a table of the target. */
export interface TargetTable {
  /** schema.table, unquoted */
  readonly name: string;
  /** quoted for SQL */
  readonly sqlName: string;
  /** "only " for ordinary tables: children replicate by themselves */
  readonly only: string;
  readonly columns: readonly TargetColumn[];
  /** unique indexes besides the primary key, or exclusion constraints: the order of changes may matter */
  readonly hasOtherUnique: boolean;
  /** triggers, rules or foreign keys act in this session's replication role */
  readonly hasActiveTriggers: boolean;
  /** changes whenever anything of the above does */
  readonly fingerprint: string;
}

interface TableRow {
  nr: number;
  relkind: string;
  columns: string;
  has_other_unique: boolean;
  has_active_triggers: boolean;
}

interface ColumnJson {
  readonly name: string;
  readonly type: string;
  readonly json: boolean;
  readonly generated: boolean;
  readonly identity_always: boolean;
}

/** Looks tables up, all with one statement: this happens for each batch, so that no change of a table is missed.
 * @param names schema.table, unquoted
 * @returns the tables that exist, by name */
export async function loadTargetTables(
  target: Database,
  names: readonly string[],
): Promise<Map<string, TargetTable>> {
  if (names.length === 0) return new Map();
  const parts = names.map((name) => splitFqName(name));
  const rows = await target.query<TableRow>(tableSql, [
    parts.map(([schema]) => schema),
    parts.map(([, table]) => table),
  ]);
  return new Map(rows.map((row) => [names[row.nr - 1]!, targetTable(names[row.nr - 1]!, row)]));
}

function targetTable(name: string, row: TableRow): TargetTable {
  const [schema, table] = splitFqName(name);
  const columns = JSON.parse(row.columns) as ColumnJson[];
  return {
    name,
    sqlName: `${quoteIdent(schema)}.${quoteIdent(table)}`,
    only: row.relkind === "r" ? "only " : "",
    columns: columns.map((column) => ({
      name: column.name,
      type: column.type,
      isJson: column.json,
      isGenerated: column.generated,
      isIdentityAlways: column.identity_always,
    })),
    hasOtherUnique: row.has_other_unique,
    hasActiveTriggers: row.has_active_triggers,
    fingerprint: [row.relkind, row.has_other_unique, row.has_active_triggers, row.columns].join(" "),
  };
}

// Triggers by tgenabled: O fires unless the role is replica, R only in replica, A always.
const tableSql = `
select t.nr::int4 as nr, c.relkind::text as relkind,
       coalesce((select json_agg(json_build_object(
                'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
                'json', (with recursive base(oid, parent) as (
                           select y.oid, y.typbasetype from pg_catalog.pg_type y where y.oid = a.atttypid
                           union all
                           select y.oid, y.typbasetype from base b join pg_catalog.pg_type y on y.oid = b.parent)
                         select b.oid in (114, 3802) from base b where b.parent = 0),
                'generated', a.attgenerated <> '', 'identity_always', a.attidentity = 'a') order by a.attnum)
          from pg_catalog.pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]'::json)::text as columns,
       exists (select from pg_catalog.pg_index i
                where i.indrelid = c.oid and (i.indisunique or i.indisexclusion) and not i.indisprimary
              ) as has_other_unique,
       exists (select from pg_catalog.pg_trigger g
                where g.tgrelid = c.oid
                  and g.tgenabled in ('A', case current_setting('session_replication_role')
                                             when 'replica' then 'R' else 'O' end)
              ) or exists (select from pg_catalog.pg_rewrite r
                where r.ev_class = c.oid
                  and r.ev_enabled in ('A', case current_setting('session_replication_role')
                                             when 'replica' then 'R' else 'O' end)
              ) as has_active_triggers
  from unnest($1::text[], $2::text[]) with ordinality as t(schema_name, table_name, nr)
  join pg_catalog.pg_namespace n on n.nspname = t.schema_name
  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = t.table_name and c.relkind in ('r', 'p')`;
