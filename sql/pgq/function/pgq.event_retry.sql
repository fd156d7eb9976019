-- Parks an event of an open batch until a time, for this consumer only. Its retry count goes up by one.
-- Returns 1, or 0 when it is parked already. Errors: event not found (also for an unknown batch).
-- Execute: pgq_reader
create or replace function pgq.event_retry(x_batch_id bigint, x_event_id bigint, x_retry_time timestamptz)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _owner integer;
    _queue integer;
    _event record;
    _parked integer;
begin
    select s.sub_id, s.sub_queue into _owner, _queue from pgq.subscription s where s.sub_batch = x_batch_id;
    if not found then
        raise exception 'event not found';
    end if;
    execute format('select * from (%s) e where ev_id = $1 limit 1', pgq.batch_event_sql(x_batch_id))
       into _event
      using x_event_id;
    if _event.ev_id is null then
        raise exception 'event not found';
    end if;
    insert into pgq.retry_queue (ev_retry_after, ev_queue, ev_id, ev_time, ev_owner, ev_retry,
                                 ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
    values (x_retry_time, _queue, _event.ev_id, _event.ev_time, _owner, coalesce(_event.ev_retry, 0) + 1,
            _event.ev_type, _event.ev_data, _event.ev_extra1, _event.ev_extra2, _event.ev_extra3, _event.ev_extra4)
        on conflict (ev_owner, ev_id) do nothing;
    get diagnostics _parked = row_count;
    return _parked;
end;
$$;

-- The same with seconds from now.
create or replace function pgq.event_retry(x_batch_id bigint, x_event_id bigint, x_retry_seconds integer)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return pgq.event_retry(x_batch_id, x_event_id, now() + make_interval(secs => x_retry_seconds));
end;
$$;
