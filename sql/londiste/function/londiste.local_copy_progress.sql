-- Records how far a copy has come, and that it is alive.
--
-- Parameters:
--   i_phase           - what it is doing; null keeps the stored one
--   i_rows, i_bytes   - copied so far; null keeps the stored ones
-- Returns: 100, or 404 when no copy of the table was started or the table is not local any more
-- Execute: londiste_writer
create or replace function londiste.local_copy_progress(
    in i_queue_name text,
    in i_table_name text,
    in i_phase text,
    in i_rows bigint,
    in i_bytes bigint,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _table text := londiste.make_fqname(i_table_name);
begin
    update londiste.copy_progress p
        set phase = coalesce(i_phase, p.phase),
            rows_copied = coalesce(i_rows, p.rows_copied),
            bytes_copied = coalesce(i_bytes, p.bytes_copied),
            heartbeat_time = clock_timestamp()
        where p.queue_name = i_queue_name and p.table_name = _table;
    if not found then
        select 404, 'no copy of table: ' || _table into ret_code, ret_note;
        return;
    end if;
    select 100, 'Copy progress stored: ' || _table into ret_code, ret_note;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
