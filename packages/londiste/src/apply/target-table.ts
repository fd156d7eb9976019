import type { Database } from "@skytools/skytools";
import { quoteIdent, splitFqName } from "@skytools/skytools";

/** How the text of a type's values looks when two texts are one value only if they are equal. Source: PostgreSQL manual,
 * chapter "Data Types" */
export type KeyForm = "integer" | "uuid" | "date" | "text";

/** A column of the table that events are applied to. */
export interface TargetColumn {
  readonly name: string;
  /** type with modifier, as SQL */
  readonly type: string;
  /** made by a user or an extension; not built in */
  readonly isTypeOfUser: boolean;
  /** as SQL: to cast text to this does not cut it, which a cast to a type with a modifier does; the type below a domain */
  readonly castType: string;
  /** quoted; empty: the database's, or none */
  readonly collation: string;
  /** values that are equal may differ all the same, as 1.0 and 1.00 do: a key can change without becoming another key */
  readonly hasTwins: boolean;
  /** null: two texts of this type may be one value */
  readonly keyForm: KeyForm | null;
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
  /** triggers, rules or foreign keys act in this session's replication role, on the table or on a partition of it */
  readonly hasActiveTriggers: boolean;
  /** the server computes a column of the primary key: rows are found by what it has computed */
  readonly hasGeneratedKey: boolean;
  /** foreign keys that refer to it act in this session's replication role: a row that goes takes others with it, or may not go */
  readonly isReferenced: boolean;
  /** columns of the primary key where it is deferrable, which in role replica the server does not enforce: a row that is here
   * already must be looked for. Else empty. */
  readonly deferrableKey: readonly string[];
}

interface TableRow {
  nr: number;
  relkind: string;
  columns: string;
  has_active_triggers: boolean;
  has_generated_key: boolean;
  is_referenced: boolean;
  deferrable_key: string[];
}

interface ColumnJson {
  readonly name: string;
  readonly type: string;
  readonly of_user: boolean;
  readonly cast_type: string;
  readonly collation: string | null;
  readonly has_twins: boolean;
  readonly key_form: KeyForm | null;
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
      isTypeOfUser: column.of_user,
      castType: column.cast_type,
      collation: column.collation ?? "",
      hasTwins: column.has_twins,
      keyForm: column.has_twins ? null : column.key_form,
      isGenerated: column.generated,
      isIdentityAlways: column.identity_always,
    })),
    hasActiveTriggers: row.has_active_triggers,
    hasGeneratedKey: row.has_generated_key,
    isReferenced: row.is_referenced,
    deferrableKey: row.deferrable_key,
  };
}

// Triggers by tgenabled: O fires unless the role is replica, R only in replica, A always.
const tableSql = `
select t.nr::int4 as nr, c.relkind::text as relkind,
       coalesce((select json_agg(json_build_object(
                'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
                'of_user', (select y.typnamespace <> 'pg_catalog'::regnamespace from pg_catalog.pg_type y where y.oid = a.atttypid),
                'cast_type', pg_catalog.format_type(
                  (with recursive b (oid, below) as (
                     select y.oid, y.typbasetype from pg_catalog.pg_type y where y.oid = a.atttypid
                      union all
                     select y.oid, y.typbasetype from b join pg_catalog.pg_type y on y.oid = b.below)
                   select b.oid from b where b.below = 0), -1),
                'collation', (select pg_catalog.format('%I.%I', n.nspname, l.collname)
                                from pg_catalog.pg_collation l join pg_catalog.pg_namespace n on n.oid = l.collnamespace
                               where l.oid = a.attcollation and l.collname <> 'default'),
                'has_twins', a.atttypid <> all ('{int2,int4,int8,oid,bool,uuid,date,timestamp,timestamptz,bytea,text,varchar,bpchar}'::regtype[])
                             or exists (select from pg_catalog.pg_collation l
                                         where l.oid = a.attcollation and not l.collisdeterministic),
                'key_form', case when a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) then 'integer'
                                 when a.atttypid in ('text'::regtype, 'varchar'::regtype) then 'text'
                                 when a.atttypid in ('uuid'::regtype, 'date'::regtype) then a.atttypid::regtype::text end,
                'generated', a.attgenerated <> '', 'identity_always', a.attidentity = 'a') order by a.attnum)
          from pg_catalog.pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]'::json)::text as columns,
       exists (select from pg_catalog.pg_trigger g
                where g.tgrelid = any (r.oids)
                  and g.tgenabled in ('A', case current_setting('session_replication_role')
                                             when 'replica' then 'R' else 'O' end)
              ) or exists (select from pg_catalog.pg_rewrite w
                where w.ev_class = any (r.oids)
                  and w.ev_enabled in ('A', case current_setting('session_replication_role')
                                             when 'replica' then 'R' else 'O' end)
              ) as has_active_triggers,
       exists (select from pg_catalog.pg_index i
                 join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
                where i.indrelid = c.oid and i.indisprimary and a.attgenerated <> '') as has_generated_key,
       exists (select from pg_catalog.pg_trigger g join pg_catalog.pg_proc p on p.oid = g.tgfoid
                where g.tgrelid = any (r.oids) and g.tgisinternal and p.proname ~ '^RI_FKey_.*_del$'
                  and g.tgenabled in ('A', case current_setting('session_replication_role')
                                             when 'replica' then 'R' else 'O' end)
              ) as is_referenced,
       array(select a.attname::text
               from pg_catalog.pg_constraint k
               join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = any (k.conkey)
              where k.conrelid = c.oid and k.contype = 'p' and k.condeferrable order by a.attnum) as deferrable_key
  from unnest($1::text[], $2::text[]) with ordinality as t(schema_name, table_name, nr)
  join pg_catalog.pg_namespace n on n.nspname = t.schema_name
  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = t.table_name and c.relkind in ('r', 'p')
 cross join lateral (select case when c.relkind = 'p' then array(select p.relid::oid from pg_catalog.pg_partition_tree(c.oid) p)
                                 else array[c.oid] end as oids) r`;
