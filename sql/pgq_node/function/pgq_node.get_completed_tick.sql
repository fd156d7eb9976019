-- The tick up to which a cascaded consumer has applied everything.
--
-- Returns: tick_time is null when it is not known, as after a worker that stores the id only; no row for an unknown consumer
-- Execute: pgq_reader, pgq_writer, pgq_admin
create or replace function pgq_node.get_completed_tick(
    in i_queue_name text,
    in i_consumer_name text,
    out tick_id bigint,
    out tick_time timestamptz)
returns setof record as $$
begin
    return query
        select s.last_tick_id, case when s.known_tick_id = s.last_tick_id then s.known_tick_time end
        from pgq_node.local_state s
        where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
