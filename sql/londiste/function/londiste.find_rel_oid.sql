-- Finds a relation by raw name and exact relkind.
--
-- Returns: oid, or null when there is none
-- Execute: public
create or replace function londiste.find_rel_oid(i_fqname text, i_kind text)
returns oid as $$
declare
    _oid oid;
begin
    select c.oid into _oid
        from londiste.split_fqname(i_fqname) f
        join pg_catalog.pg_namespace n on (n.nspname = f.schema_part)
        join pg_catalog.pg_class c on (c.relnamespace = n.oid and c.relname = f.name_part)
        where c.relkind::text = i_kind;
    return _oid;
end;
$$ language plpgsql strict stable set search_path = pg_catalog, pg_temp;
