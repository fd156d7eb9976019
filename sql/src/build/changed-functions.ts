import { outTypes } from "../surface/surface-query.ts";
import { functionObjects } from "./function-objects.ts";
import type { ModuleFolder } from "./module-folder.ts";

/** The statement that drops the functions of earlier releases which CREATE OR REPLACE cannot make ours: other names of
 * arguments, fewer defaults, another result. Who may call them is remembered until {@link restoredGrantsSql}. Functions of
 * today's shape are not touched, so that nothing waits for them.
 * @param sql text of the module's files
 * Source: PostgreSQL manual, CREATE FUNCTION, "Notes" */
export function changedFunctionsSql({ schema }: ModuleFolder, sql: string): string {
  if (schema === undefined) return "";
  const rows = functionObjects(sql, []).map(
    ({ name, attributes: { names = "", columns = "", defaults = "0", result } }) =>
      `            ('${name}', '${names}', '${columns}', ${defaults}, '${result}')`,
  );
  return `do $changed$
declare
    _path text := pg_catalog.current_setting('search_path');
    _function record;
    _grants jsonb := '[]';
begin
    perform pg_catalog.set_config('search_path', 'pg_catalog', true);
    for _function in
        select p.oid, p.oid::regprocedure::text as signature, p.proname,
               (select jsonb_agg(jsonb_build_array(p.proname, quote_ident(r.rolname)))
                  from aclexplode(p.proacl) a join pg_roles r on r.oid = a.grantee
                 where a.grantee <> p.proowner) as grants
          from (values
${rows.join(",\n")}
          ) f(signature, names, columns, defaults, result)
          join pg_proc p on p.oid = to_regprocedure(f.signature)
         where coalesce(array_to_string(p.proargnames, ','), '') <> f.names
            or coalesce(${outTypes}, '') <> f.columns
            or p.pronargdefaults > f.defaults
            or case when p.proretset then 'SETOF ' else '' end || format_type(p.prorettype, null) <> f.result
    loop
        execute 'drop function ' || _function.signature;
        _grants := _grants || coalesce(_function.grants, '[]');
    end loop;
    perform pg_catalog.set_config('skytools.function_grants', _grants::text, true);
    perform pg_catalog.set_config('search_path', _path, true);
end;
$changed$;
`;
}

/** The statement that lets roles of the administrator's own call again what {@link changedFunctionsSql} dropped. */
export function restoredGrantsSql({ schema }: ModuleFolder): string {
  if (schema === undefined) return "";
  return `do $restored$
declare
    _grant record;
begin
    for _grant in
        select distinct p.oid::pg_catalog.regprocedure::text as signature, g.item ->> 1 as grantee
          from pg_catalog.jsonb_array_elements(pg_catalog.current_setting('skytools.function_grants')::pg_catalog.jsonb) g(item)
          join pg_catalog.pg_proc p on p.proname = g.item ->> 0
          join pg_catalog.pg_namespace n on n.oid = p.pronamespace and n.nspname = '${schema}'
         where g.item ->> 1 !~ '^(pgq|londiste)_(reader|writer|admin)$'
    loop
        execute 'grant execute on function ' || _grant.signature || ' to ' || _grant.grantee;
    end loop;
end;
$restored$;
`;
}
