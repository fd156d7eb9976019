-- Gives a failed event back to its consumer, with its retries counted from zero: it waits in the retry queue and comes
-- with one of the next batches. Returns its id. Errors: consumer not registered; event not found.
-- Execute: pgq_reader
create or replace function pgq.failed_event_retry(x_queue_name text, x_consumer_name text, x_event_id bigint)
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _event pgq.failed_queue;
begin
    delete from pgq.failed_queue f
     where f.ev_owner = pgq._subscription_id(x_queue_name, x_consumer_name) and f.ev_id = x_event_id
    returning f.* into _event;
    if not found then
        raise exception 'event not found';
    end if;
    insert into pgq.retry_queue (ev_retry_after, ev_queue, ev_id, ev_time, ev_owner, ev_retry,
                                 ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
    values (now(), _event.ev_queue, _event.ev_id, _event.ev_time, _event.ev_owner, 0, _event.ev_type, _event.ev_data,
            _event.ev_extra1, _event.ev_extra2, _event.ev_extra3, _event.ev_extra4)
        on conflict (ev_owner, ev_id) do nothing;
    return x_event_id;
end;
$$;
