-- Lists the partitions of a table that are older than the retention period, going by their names only: tables in the
-- parent's schema called like it plus a date. For the parameters see is_obsolete_partition.
--
-- Returns: quoted names with schema, in order
-- Calls: londiste.is_obsolete_partition
-- Execute: londiste_writer
create or replace function londiste.list_obsolete_partitions(
    i_parent_table text,
    i_retention_period interval,
    i_partition_period text)
returns setof text as $$
declare
    _parent record;
    _pattern text;
begin
    select * into _parent from londiste.split_fqname(i_parent_table);
    select '^' || f.pattern into _pattern from londiste._partition_suffix(i_partition_period) f;
    return query
        select quote_ident(n.nspname) || '.' || quote_ident(c.relname)
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on (n.oid = c.relnamespace)
        where n.nspname = _parent.schema_part and c.relkind = 'r'
          and starts_with(c.relname, _parent.name_part)
          and substr(c.relname, length(_parent.name_part) + 1) ~ _pattern
          and londiste.is_obsolete_partition(c.relname, i_retention_period, i_partition_period)
        order by c.relname;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
