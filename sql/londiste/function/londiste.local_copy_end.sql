-- Records that a copy is done: the worker applies the table's events from now on.
--
-- Returns: 100, or 404 when no copy of the table was started or the table is not local any more
-- Execute: londiste_writer
create or replace function londiste.local_copy_end(
    in i_queue_name text,
    in i_table_name text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _table text := londiste.make_fqname(i_table_name);
begin
    update londiste.copy_progress p
        set phase = 'done', end_time = clock_timestamp(), heartbeat_time = clock_timestamp(),
            error = null, error_time = null, retry_time = null
        where p.queue_name = i_queue_name and p.table_name = _table;
    if not found then
        select 404, 'no copy of table: ' || _table into ret_code, ret_note;
        return;
    end if;
    select 100, 'Copy of ' || _table || ' ended' into ret_code, ret_note;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
