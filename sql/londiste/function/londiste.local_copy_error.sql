-- Records why a copy failed and when it will be tried again.
--
-- Parameters:
--   i_retry_after - null: nobody is going to try
-- Returns: 100, or 404 when no copy of the table was started or the table is not local any more
-- Execute: londiste_writer
create or replace function londiste.local_copy_error(
    in i_queue_name text,
    in i_table_name text,
    in i_error text,
    in i_retry_after interval,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _table text := londiste.make_fqname(i_table_name);
begin
    update londiste.copy_progress p
        set phase = 'failed',
            error = i_error,
            error_time = clock_timestamp(),
            retry_time = clock_timestamp() + i_retry_after,
            heartbeat_time = clock_timestamp()
        where p.queue_name = i_queue_name and p.table_name = _table;
    if not found then
        select 404, 'no copy of table: ' || _table into ret_code, ret_note;
        return;
    end if;
    select 100, 'Copy error stored: ' || _table into ret_code, ret_note;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
