-- Tells how the initial copies of a set's local tables get on, the finished ones too.
--
-- Returns: rows in order of registration; heartbeat_age says how long ago the copy was last heard of, the other
--   columns are described with londiste.copy_progress
-- Execute: londiste_reader, londiste_writer
create or replace function londiste.get_copy_progress(
    in i_queue_name text,
    out table_name text,
    out merge_state text,
    out attempt int4,
    out copy_process text,
    out source_node text,
    out phase text,
    out rows_copied bigint,
    out bytes_copied bigint,
    out total_rows bigint,
    out total_bytes bigint,
    out start_time timestamptz,
    out heartbeat_time timestamptz,
    out heartbeat_age interval,
    out end_time timestamptz,
    out error text,
    out error_time timestamptz,
    out retry_time timestamptz)
returns setof record as $$
begin
    return query
        select p.table_name, t.merge_state, p.attempt, p.copy_process, p.source_node, p.phase,
            p.rows_copied, p.bytes_copied, p.total_rows, p.total_bytes,
            p.start_time, p.heartbeat_time, clock_timestamp() - p.heartbeat_time,
            p.end_time, p.error, p.error_time, p.retry_time
        from londiste.copy_progress p
        join londiste.table_info t on (t.queue_name = p.queue_name and t.table_name = p.table_name and t.local)
        where p.queue_name = i_queue_name
        order by t.nr, t.table_name;
end;
$$ language plpgsql strict set search_path = pg_catalog, pg_temp;
