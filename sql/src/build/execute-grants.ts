import type { SqlFile } from "./include-list.ts";

/** Who may call one function (all its overloads). */
export interface ExecuteGrant {
  readonly schema: string;
  readonly name: string;
  /** role names, or `public`; empty: only the owner */
  readonly grantees: readonly string[];
}

const wantedLine =
  /^-- Execute: *(.+)$|^create (?:or replace )?(?:function|procedure) +([\w]+)\.([\w]+) *\(/gim;

/** Reads the `-- Execute:` lines; each holds for the functions that follow it in its file.
 * @throws Error where a function has none, or two files disagree */
export function readExecuteGrants(files: readonly SqlFile[]): ExecuteGrant[] {
  const grants = new Map<string, ExecuteGrant>();
  for (const file of files) {
    let grantees: string[] | undefined;
    for (const [, names, schema, name] of file.text.matchAll(wantedLine)) {
      if (names !== undefined) {
        grantees = names.trim() === "none" ? [] : names.split(",").map((grantee) => grantee.trim());
        continue;
      }
      if (schema === undefined || name === undefined) continue;
      if (grantees === undefined)
        throw new Error(`${file.path}: ${schema}.${name} has no "-- Execute:" line`);
      const key = `${schema}.${name}`;
      const other = grants.get(key);
      if (other !== undefined && other.grantees.join() !== grantees.join()) {
        throw new Error(`${file.path}: ${key} has two different "-- Execute:" lines`);
      }
      grants.set(key, { schema, name, grantees });
    }
  }
  return [...grants.values()];
}

/** The statement that puts the grants into force for every overload, also for those of earlier releases. */
export function executeGrantSql(grants: readonly ExecuteGrant[]): string {
  if (grants.length === 0) return "";
  const roles = [...new Set(grants.flatMap((grant) => grant.grantees))].filter((name) => name !== "public");
  const rows = grants.map(
    ({ schema, name, grantees }) => `            ('${schema}', '${name}', '{${grantees.join(",")}}'::text[])`,
  );
  return `do $grants$
declare
    _function record;
    _revokees text;
begin
    select pg_catalog.string_agg(', ' || pg_catalog.quote_ident(r.rolname), '' order by r.rolname)
      into _revokees
      from pg_catalog.pg_roles r
     where r.rolname = any ('{${roles.join(",")}}'::text[]);
    for _function in
        select p.oid::pg_catalog.regprocedure::text as signature,
               (select pg_catalog.string_agg(
                           case when e.grantee = 'public' then 'public' else pg_catalog.quote_ident(e.grantee) end, ', ')
                  from pg_catalog.unnest(g.grantees) e(grantee)
                 where e.grantee = 'public' or exists (select 1 from pg_catalog.pg_roles r where r.rolname = e.grantee)
               ) as grantees
          from (values
${rows.join(",\n")}
          ) g(schema_name, function_name, grantees)
          join pg_catalog.pg_namespace n on n.nspname = g.schema_name
          join pg_catalog.pg_proc p on p.pronamespace = n.oid and p.proname = g.function_name
    loop
        execute 'revoke all on function ' || _function.signature || ' from public' || coalesce(_revokees, '');
        if _function.grantees is not null then
            execute 'grant execute on function ' || _function.signature || ' to ' || _function.grantees;
        end if;
    end loop;
end;
$grants$;
`;
}
