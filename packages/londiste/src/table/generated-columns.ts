import type { Database } from "@skytools/skytools";
import { notSent } from "../copy/copy-columns.ts";
import type { LocalNode } from "./local-node.ts";
import type { TableSource } from "./table-source.ts";

/** Says of a table that is added which of its columns will get no values.
 * @param name set name
 * @param to plain name of the local table */
export async function warnOfGenerated(
  { job, local }: LocalNode,
  name: string,
  to: string,
  { db: provider, tables }: TableSource,
): Promise<void> {
  const from = tables.find((table) => table.name === name)?.destination ?? name;
  const columns = await unsentColumns({ provider, from }, { local, to });
  await provider.rollback();
  for (const column of columns) job.log.warn(notSent(name, column));
}

/** Columns that no event brings because their table computes them, and that are ordinary ones in another table.
 * @param provider the database with the table that is replicated
 * @param from its plain name
 * @param to plain name of the table that is to get its rows
 * Source: spec/sql-node-londiste.md T52 */
async function unsentColumns(
  { provider, from }: { readonly provider: Database; readonly from: string },
  { local, to }: { readonly local: Database; readonly to: string },
): Promise<string[]> {
  const generated = await provider.query<{ name: string }>(
    `select a.attname as name from pg_catalog.pg_attribute a
      where a.attrelid = londiste.find_table_oid($1) and a.attnum > 0 and not a.attisdropped and a.attgenerated <> ''
        and not exists (
            select from pg_catalog.pg_index i
             where i.indrelid = a.attrelid and i.indisprimary and a.attnum = any (i.indkey::int2[]))
      order by a.attnum`,
    [from],
  );
  if (generated.length === 0) return [];
  const ordinary = await local.query<{ name: string }>(
    `select a.attname as name from pg_catalog.pg_attribute a
      where a.attrelid = londiste.find_table_oid($1) and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        and a.attname = any ($2::text[])
      order by a.attnum`,
    [to, generated.map(({ name }) => name)],
  );
  return ordinary.map(({ name }) => name);
}
