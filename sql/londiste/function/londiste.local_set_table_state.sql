-- Stores snapshot and state of a local table. The text of the state is not checked.
--
-- Returns: 200, or 404 when the table is not local
-- Raises: check violation when dropped_ddl is still stored and the state is no longer one of copying
-- Execute: londiste_writer
create or replace function londiste.local_set_table_state(
    in i_queue_name text,
    in i_table_name text,
    in i_snapshot text,
    in i_merge_state text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _table text := londiste.make_fqname(i_table_name);
begin
    update londiste.table_info t
        set custom_snapshot = i_snapshot, merge_state = i_merge_state
        where t.queue_name = i_queue_name and t.table_name = _table and t.local;
    if not found then
        select 404, 'No such table: ' || _table into ret_code, ret_note;
        return;
    end if;
    select 200, 'Table ' || _table || ' state set to ' || quote_nullable(i_merge_state)
        into ret_code, ret_note;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
