import { quoteFqIdent, splitFqName, UsageError, unquoteFqIdent } from "@skytools/skytools";
import { ownSchemas } from "../completion/name-queries.ts";
import type { MetaCommand, MetaContext } from "./meta-command.ts";

const relations = (kinds: string): string => `
  select n.nspname as schema, c.relname as name,
         case c.relkind when 'S' then 'sequence' when 'p' then 'partitioned table' when 'v' then 'view'
                        when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end as type,
         pg_catalog.pg_get_userbyid(c.relowner) as owner,
         case c.relkind when 'r' then pg_catalog.pg_size_pretty(pg_catalog.pg_table_size(c.oid)) end as size
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where c.relkind in (${kinds}) and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', ${ownSchemas})
   order by 1, 2`;

export const describeCommand: MetaCommand = {
  name: "d",
  args: "[NAME]",
  summary: "tables and sequences, or the statements that create one; without those of PgQ and Londiste",
  completes: "table",
  run: async (context, [typed]) => {
    if (typed === undefined)
      await context.console.context.show(undefined, relations("'r', 'p', 'v', 'm', 'f', 'S'"));
    else await describe(context, typed);
  },
};

export const tablesCommand: MetaCommand = {
  name: "dt",
  args: "",
  summary: "tables",
  run: async ({ console }) => await console.context.show(undefined, relations("'r', 'p'")),
};

export const databasesCommand: MetaCommand = {
  name: "l",
  args: "",
  summary: "databases",
  run: async ({ console }) => {
    const sql = `select datname as name, pg_catalog.pg_get_userbyid(datdba) as owner,
                        pg_catalog.pg_encoding_to_char(encoding) as encoding
                   from pg_catalog.pg_database order by 1`;
    await console.context.show(undefined, sql);
  },
};

async function describe(context: MetaContext, typed: string): Promise<void> {
  const name = unquoteFqIdent(typed);
  const kind = await context.console.session.db.queryValue<string>(
    `select c.relkind from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1 and c.relname = $2`,
    [...splitFqName(name)],
  );
  if (kind === undefined) throw new UsageError(`there is no relation ${splitFqName(name).join(".")}`);
  await context.run(`show ${kind === "S" ? "sequence" : "table"} ${quoteFqIdent(name)};`);
}
