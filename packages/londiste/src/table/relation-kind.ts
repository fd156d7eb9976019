import { type Database, splitFqName, UsageError } from "@skytools/skytools";

const kindNames: Readonly<Record<string, string>> = {
  v: "a view",
  m: "a materialized view",
  f: "a foreign table",
  S: "a sequence",
  c: "a composite type",
  i: "an index",
  I: "an index",
};

/** Refuses names of relations that exist and hold no rows of their own to replicate.
 * @param names schema.table, unquoted
 * @throws UsageError naming each of them and what it is */
export async function refuseOtherRelations(db: Database, names: readonly string[]): Promise<void> {
  const parts = names.map((name) => splitFqName(name));
  const rows = await db.query<{ nr: number; relkind: string }>(
    `select t.nr::int4 as nr, c.relkind::text as relkind
       from unnest($1::text[], $2::text[]) with ordinality as t(schema_name, table_name, nr)
       join pg_catalog.pg_namespace n on n.nspname = t.schema_name
       join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = t.table_name
      where c.relkind not in ('r', 'p') order by t.nr`,
    [parts.map(([schema]) => schema), parts.map(([, table]) => table)],
  );
  if (rows.length === 0) return;
  const found = rows.map(({ nr, relkind }) => `${names[nr - 1]} is ${kindNames[relkind] ?? "no table"}`);
  throw new UsageError(`${found.join(", ")} in ${db.label}: only tables can be replicated`);
}
