-- The events of a consumer's open batch, or else of the batch that it would get next, without opening it.
-- No rows when no tick follows. Runs with the caller's rights. Errors: consumer not registered.
-- Execute: pgq_reader
create or replace function pgq.show_batch_events(i_queue_name text, i_consumer_name text,
    out ev_id bigint, out ev_time timestamptz, out ev_txid bigint, out ev_retry integer, out ev_type text,
    out ev_data text, out ev_extra1 text, out ev_extra2 text, out ev_extra3 text, out ev_extra4 text)
returns setof record
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    _sub record;
    _start txid_snapshot;
    _end txid_snapshot;
begin
    select s.sub_id, s.sub_queue, s.sub_batch, s.sub_last_tick, q.queue_data_pfx, q.queue_ntables
      into _sub
      from pgq.subscription s
      join pgq.queue q on q.queue_id = s.sub_queue
      join pgq.consumer c on c.co_id = s.sub_consumer
     where q.queue_name = i_queue_name and c.co_name = i_consumer_name;
    if not found then
        raise exception 'consumer not registered';
    end if;
    if _sub.sub_batch is not null then
        return query execute pgq.batch_event_sql(_sub.sub_batch);
        return;
    end if;
    select t.tick_snapshot
      into _start
      from pgq.tick t
     where t.tick_queue = _sub.sub_queue and t.tick_id = _sub.sub_last_tick;
    select t.tick_snapshot
      into _end
      from pgq.tick t
     where t.tick_queue = _sub.sub_queue and t.tick_id > _sub.sub_last_tick
     order by t.tick_queue, t.tick_id
     limit 1;
    if _start is null or _end is null then
        return;
    end if;
    return query execute pgq._event_sql(
        array(select _sub.queue_data_pfx || '_' || n from pg_catalog.generate_series(0, _sub.queue_ntables - 1) n),
        _start, _end, pg_catalog.format('(ev_owner is null or ev_owner = %s)', _sub.sub_id));
end;
$$;
