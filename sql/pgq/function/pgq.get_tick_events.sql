-- The events between two ticks of a queue by id, for a look without a subscription: those of every consumer, parked
-- ones that came back included. Reads what rotation has left. Runs with the caller's rights.
-- Errors: No such event queue; tick not found.
-- Execute: pgq_reader
create or replace function pgq.get_tick_events(i_queue_name text, i_from_tick bigint, i_to_tick bigint,
    out ev_id bigint, out ev_time timestamptz, out ev_txid bigint, out ev_retry integer, out ev_type text,
    out ev_data text, out ev_extra1 text, out ev_extra2 text, out ev_extra3 text, out ev_extra4 text)
returns setof record
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    _queue record;
    _from txid_snapshot;
    _to txid_snapshot;
begin
    select q.queue_id, q.queue_data_pfx, q.queue_ntables
      into _queue
      from pgq.queue q
     where q.queue_name = i_queue_name;
    if not found then
        raise exception 'No such event queue';
    end if;
    select t.tick_snapshot into _from from pgq.tick t where t.tick_queue = _queue.queue_id and t.tick_id = i_from_tick;
    if not found then
        raise exception 'tick not found: %', i_from_tick;
    end if;
    select t.tick_snapshot into _to from pgq.tick t where t.tick_queue = _queue.queue_id and t.tick_id = i_to_tick;
    if not found then
        raise exception 'tick not found: %', i_to_tick;
    end if;
    return query execute pgq._event_sql(
        array(select _queue.queue_data_pfx || '_' || n from pg_catalog.generate_series(0, _queue.queue_ntables - 1) n),
        _from, _to, 'true');
end;
$$;
