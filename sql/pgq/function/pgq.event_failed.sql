-- Gives an event of an open batch up: a copy with the reason goes to the failed events of this consumer.
-- Returns 1, or 0 when it is there already. Errors: event not found (also for an unknown batch).
-- Execute: pgq_reader
create or replace function pgq.event_failed(x_batch_id bigint, x_event_id bigint, x_reason text)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _event record;
    _added integer;
begin
    select * into _event from pgq._batch_event(x_batch_id, x_event_id);
    insert into pgq.failed_queue (ev_failed_reason, ev_failed_time, ev_queue, ev_id, ev_time, ev_txid, ev_owner, ev_retry,
                                  ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
    values (x_reason, now(), _event.ev_queue, _event.ev_id, _event.ev_time, _event.ev_txid, _event.ev_owner, _event.ev_retry,
            _event.ev_type, _event.ev_data, _event.ev_extra1, _event.ev_extra2, _event.ev_extra3, _event.ev_extra4)
        on conflict (ev_owner, ev_id) do nothing;
    get diagnostics _added = row_count;
    return _added;
end;
$$;

-- An event of an open batch with its queue and the subscription that reads it as owner.
-- Errors: event not found.
-- Execute: none
create or replace function pgq._batch_event(i_batch_id bigint, i_event_id bigint,
    out ev_queue integer, out ev_owner integer, out ev_id bigint, out ev_time timestamptz, out ev_txid bigint,
    out ev_retry integer, out ev_type text, out ev_data text,
    out ev_extra1 text, out ev_extra2 text, out ev_extra3 text, out ev_extra4 text)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    _event record;
begin
    select s.sub_queue, s.sub_id into ev_queue, ev_owner from pgq.subscription s where s.sub_batch = i_batch_id;
    if not found then
        raise exception 'event not found';
    end if;
    execute pg_catalog.format('select e.* from (%s) e where e.ev_id = $1 limit 1', pgq.batch_event_sql(i_batch_id))
       into _event
      using i_event_id;
    if _event.ev_id is null then
        raise exception 'event not found';
    end if;
    ev_id := _event.ev_id;
    ev_time := _event.ev_time;
    ev_txid := _event.ev_txid;
    ev_retry := _event.ev_retry;
    ev_type := _event.ev_type;
    ev_data := _event.ev_data;
    ev_extra1 := _event.ev_extra1;
    ev_extra2 := _event.ev_extra2;
    ev_extra3 := _event.ev_extra3;
    ev_extra4 := _event.ev_extra4;
end;
$$;
