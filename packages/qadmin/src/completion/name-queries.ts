import type { NameList } from "../grammar/grammar.ts";

/** those of queues, cascades and Londiste, as a list of SQL literals */
export const ownSchemas = "'pgq', 'pgq_ext', 'pgq_node', 'pgq_coop', 'londiste'";

const relations = (kinds: string): string => `
  select n.nspname || '.' || c.relname as name
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where c.relkind in (${kinds}) and n.nspname not in ('information_schema', ${ownSchemas})
     and n.nspname !~ '^pg_'`;

const tables = relations("'r', 'p'");
const sequences = relations("'S'");

/** Where the names of a list come from: a query with the default queue as its only parameter, if it uses one. A schema that is not
 * there gives no names.
 * Source: spec/qadmin.md 7 */
export interface NameQuery {
  readonly sql: string;
  readonly usesQueue?: boolean;
  /** names are `schema.name` */
  readonly isQualified?: boolean;
}

export const nameQueries: Readonly<Record<Exclude<NameList, "host" | "port">, NameQuery>> = {
  queue: { sql: "select queue_name as name from pgq.queue order by 1" },
  consumer: { sql: "select co_name as name from pgq.consumer order by 1" },
  node: { sql: "select distinct node_name as name from pgq_node.node_location order by 1" },
  database: { sql: "select datname as name from pg_catalog.pg_database order by 1" },
  user: { sql: "select rolname as name from pg_catalog.pg_roles where rolname !~ '^pg_' order by 1" },
  batch: {
    sql: `select current_batch::text as name from pgq.get_consumer_info($1::text)
           where current_batch is not null order by current_batch`,
    usesQueue: true,
  },
  table: { sql: `${tables} order by 1`, isQualified: true },
  sequence: { sql: `${sequences} order by 1`, isQualified: true },
  "new table": {
    sql: `(${tables} except select table_name from londiste.table_info where queue_name = $1 and local)
          union select table_name from londiste.table_info where queue_name = $1 and not local order by 1`,
    usesQueue: true,
    isQualified: true,
  },
  "new sequence": {
    sql: `(${sequences} except select seq_name from londiste.seq_info where queue_name = $1 and local)
          union select seq_name from londiste.seq_info where queue_name = $1 and not local order by 1`,
    usesQueue: true,
    isQualified: true,
  },
  "set table": {
    sql: "select table_name as name from londiste.table_info where queue_name = $1 and local order by 1",
    usesQueue: true,
    isQualified: true,
  },
  "set sequence": {
    sql: "select seq_name as name from londiste.seq_info where queue_name = $1 and local order by 1",
    usesQueue: true,
    isQualified: true,
  },
};
