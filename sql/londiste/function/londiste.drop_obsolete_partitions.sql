-- Drops the partitions that list_obsolete_partitions lists.
--
-- Returns: the dropped ones
-- Raises: the server's error when something depends on one
-- Calls: londiste.list_obsolete_partitions
-- Execute: londiste_writer
create or replace function londiste.drop_obsolete_partitions(
    i_parent_table text,
    i_retention_period interval,
    i_partition_period text)
returns setof text as $$
declare
    _partition text;
begin
    for _partition in
        select f from londiste.list_obsolete_partitions(i_parent_table, i_retention_period, i_partition_period) f
    loop
        execute 'drop table ' || _partition;
        return next _partition;
    end loop;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
