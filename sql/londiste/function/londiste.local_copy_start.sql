-- Records that a copy of a local table starts. Attempts are counted until one ends well. Like the other
-- local_copy_ functions it is meant for a connection beside the one that copies.
--
-- Parameters:
--   i_copy_process - who copies, for people: host and process id
--   i_source_node  - node that is copied from
--   i_total_rows, i_total_bytes - estimates, null when unknown
-- Returns: 100, or 404 when the table is not local (any more)
-- Execute: londiste_writer
create or replace function londiste.local_copy_start(
    in i_queue_name text,
    in i_table_name text,
    in i_copy_process text,
    in i_source_node text,
    in i_total_rows bigint,
    in i_total_bytes bigint,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _table text := londiste.make_fqname(i_table_name);
    _attempt int4;
begin
    insert into londiste.copy_progress as p
            (queue_name, table_name, copy_process, source_node, phase, total_rows, total_bytes,
            start_time, heartbeat_time)
        select t.queue_name, t.table_name, i_copy_process, i_source_node, 'starting', i_total_rows, i_total_bytes,
            clock_timestamp(), clock_timestamp()
        from londiste.table_info t
        where t.queue_name = i_queue_name and t.table_name = _table and t.local
        on conflict (queue_name, table_name) do update
        set attempt = case when p.end_time is null then p.attempt + 1 else 1 end,
            copy_process = excluded.copy_process, source_node = excluded.source_node, phase = excluded.phase,
            rows_copied = 0, bytes_copied = 0,
            total_rows = excluded.total_rows, total_bytes = excluded.total_bytes,
            start_time = excluded.start_time, heartbeat_time = excluded.heartbeat_time,
            end_time = null, retry_time = null
        returning p.attempt into _attempt;
    if not found then
        select 404, 'no such local table: ' || _table into ret_code, ret_note;
        return;
    end if;
    select 100, 'Copy of ' || _table || ' started, attempt ' || _attempt into ret_code, ret_note;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
