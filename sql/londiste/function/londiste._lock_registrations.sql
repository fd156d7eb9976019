-- Locks the rows of all registrations that fill the effective table of one, where what its copy has dropped is to be given back: that
-- may go over to another of them. In the order of queue and table name, as whoever has all of them copied anew, or replays a script
-- for them, locks them.
--
-- Parameters:
--   i_table_name - as registered, with schema
-- Locks: the table_info rows; nothing when nothing is to be given back
-- Execute: londiste_writer
create or replace function londiste._lock_registrations(i_queue_name text, i_table_name text)
returns void as $$
declare
    _effective_table text;
begin
    select coalesce(t.dest_table, t.table_name) into _effective_table
        from londiste.table_info t
        where t.queue_name = i_queue_name and t.table_name = i_table_name and t.local and t.dropped_ddl is not null;
    if not found then
        return;
    end if;
    perform 1 from londiste.table_info t
        where t.local and coalesce(t.dest_table, t.table_name) = _effective_table
        order by t.queue_name collate "C", t.table_name collate "C"
        for update;
end;
$$ language plpgsql strict set search_path = pg_catalog, pg_temp;
