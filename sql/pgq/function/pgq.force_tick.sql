-- Makes the ticker see so many new events that it ticks at its next call. Makes no tick itself: call it in a loop until
-- the result increases. Returns the newest tick's id, NULL for an unknown queue.
-- Execute: pgq_reader
create or replace function pgq.force_tick(i_queue_name text)
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _queue record;
begin
    select q.queue_id, q.queue_event_seq, q.queue_ticker_max_count,
           not q.queue_external_ticker and not q.queue_ticker_paused as has_ticker
      into _queue
      from pgq.queue q
     where q.queue_name = i_queue_name;
    if not found then
        return null;
    end if;
    if _queue.has_ticker then
        perform setval(_queue.queue_event_seq::regclass,
                       nextval(_queue.queue_event_seq::regclass) + _queue.queue_ticker_max_count * 2 + 1000);
    end if;
    return (select t.tick_id
              from pgq.tick t
             where t.tick_queue = _queue.queue_id
             order by t.tick_queue desc, t.tick_id desc
             limit 1);
end;
$$;
