-- Another table of the set whose rows go into the same local table as those of this one.
--
-- Parameters:
--   i_effective_table - the local table
-- Returns: its name in the set; null when there is none
-- Execute: londiste_writer
create or replace function londiste._sharing_table(
    i_queue_name text,
    i_table_name text,
    i_effective_table text)
returns text as $$
begin
    return (
        select t.table_name
        from londiste.table_info t
        where t.queue_name = i_queue_name and t.table_name <> i_table_name and t.local
          and coalesce(t.dest_table, t.table_name) = i_effective_table
        order by t.nr
        limit 1);
end;
$$ language plpgsql strict stable set search_path = pg_catalog, pg_temp;
