-- Names of the sequences of a table's serial and identity columns, in order of the columns.
--
-- Parameters:
--   i_table_name - the local table, with schema
-- Execute: londiste_writer
create or replace function londiste._owned_seqs(i_table_name text)
returns setof text as $$
begin
    return query
        select n.nspname || '.' || s.relname
        from pg_catalog.pg_depend d
        join pg_catalog.pg_class s on (s.oid = d.objid and s.relkind = 'S')
        join pg_catalog.pg_namespace n on (n.oid = s.relnamespace)
        where d.classid = 'pg_catalog.pg_class'::regclass
          and d.refclassid = 'pg_catalog.pg_class'::regclass
          and d.refobjid = londiste.find_table_oid(i_table_name)
          and d.refobjsubid > 0 and d.deptype in ('a', 'i')
        order by d.refobjsubid, s.oid;
end;
$$ language plpgsql strict stable set search_path = pg_catalog, pg_temp;
