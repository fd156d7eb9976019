-- Lists the foreign keys from or to a table. Keys that a partition has from its parent are left out: they come and
-- go with the parent's.
--
-- Returns: rows in order of from_table, to_table, fkey_name; fkey_def is the whole statement, with names as the
--   caller's search path shows them
-- Execute: public
create or replace function londiste.find_table_fkeys(i_table_name text)
returns setof londiste.pending_fkeys as $$
declare
    _table oid := londiste.find_table_oid(i_table_name);
begin
    return query
        select f.from_table, f.to_table, f.fkey_name, f.fkey_def
        from (
            select pg_catalog.concat(fn.nspname, '.', fc.relname) as from_table,
                pg_catalog.concat(tn.nspname, '.', tc.relname) as to_table,
                c.conname::text as fkey_name,
                pg_catalog.format('alter table %s%I.%I add constraint %I %s',
                    case when fc.relkind = 'p' then '' else 'only ' end,
                    fn.nspname, fc.relname, c.conname, pg_catalog.pg_get_constraintdef(c.oid)) as fkey_def
            from pg_catalog.pg_constraint c
            join pg_catalog.pg_class fc on (fc.oid = c.conrelid)
            join pg_catalog.pg_namespace fn on (fn.oid = fc.relnamespace)
            join pg_catalog.pg_class tc on (tc.oid = c.confrelid)
            join pg_catalog.pg_namespace tn on (tn.oid = tc.relnamespace)
            where c.contype = 'f' and c.conparentid operator(pg_catalog.=) 0
              and (c.conrelid = _table or c.confrelid = _table)
        ) f
        order by f.from_table, f.to_table, f.fkey_name;
end;
$$ language plpgsql strict stable;
