-- Copies the privileges of one table to another, with their grant options. Returns 1.
-- Execute: pgq_admin
create or replace function pgq._grant_perms_from(src_schema text, src_table text, dst_schema text, dst_table text)
returns integer
language plpgsql strict set search_path = pg_catalog, pg_temp as $$
declare
    _grant record;
begin
    for _grant in
        select a.privilege_type, a.is_grantable,
               case when a.grantee = 0 then 'public' else pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end
                   as grantee
          from pg_catalog.pg_class c
          join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         cross join pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) a
         where n.nspname = src_schema and c.relname = src_table
    loop
        execute pg_catalog.format('grant %s on %I.%I to %s%s', _grant.privilege_type, dst_schema, dst_table,
            _grant.grantee, case when _grant.is_grantable then ' with grant option' else '' end);
    end loop;
    return 1;
end;
$$;
