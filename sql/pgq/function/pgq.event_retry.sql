-- Parks an event of an open batch until a time, for this consumer only. Its retry count goes up by one; beyond the
-- queue's retry_limit it goes to the failed events instead.
-- Returns 1, or 0 when it is parked or failed already. Errors: event not found (also for an unknown batch).
-- Execute: pgq_reader
create or replace function pgq.event_retry(x_batch_id bigint, x_event_id bigint, x_retry_time timestamptz)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _event record;
    _limit integer;
    _parked integer;
begin
    select * into _event from pgq._batch_event(x_batch_id, x_event_id);
    select q.queue_retry_limit into _limit from pgq.queue q where q.queue_id = _event.ev_queue;
    if coalesce(_event.ev_retry, 0) >= _limit then
        return pgq.event_failed(x_batch_id, x_event_id, format('retry limit of %s reached', _limit));
    end if;
    insert into pgq.retry_queue (ev_retry_after, ev_queue, ev_id, ev_time, ev_owner, ev_retry,
                                 ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
    values (x_retry_time, _event.ev_queue, _event.ev_id, _event.ev_time, _event.ev_owner, coalesce(_event.ev_retry, 0) + 1,
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

-- The same with the queue's retry_delay from now, doubled for each earlier retry, at most a day.
create or replace function pgq.event_retry(x_batch_id bigint, x_event_id bigint)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _event record;
    _delay interval;
begin
    select * into _event from pgq._batch_event(x_batch_id, x_event_id);
    select q.queue_retry_delay * 2.0 ^ least(coalesce(_event.ev_retry, 0), 30)
      into _delay
      from pgq.queue q
     where q.queue_id = _event.ev_queue;
    return pgq.event_retry(x_batch_id, x_event_id, now() + least(_delay, interval '1 day'));
end;
$$;
