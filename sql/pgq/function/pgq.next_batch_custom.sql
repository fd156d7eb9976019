-- Opens the next batch of a consumer; one row of NULLs when there is none. An open batch is returned again, unchanged.
-- The event numbers are hints: equal ones do not prove that the batch is empty.
-- Two callers at once get the same batch: the later one waits for the first one's transaction.
-- The newest version of the subscription is looked up first (see structure/tables.sql), always through the index: a plan
-- made while the table was small would read it all when it has grown.
-- Parameters:
--   i_min_lag       the batch's end tick must be at least this old
--   i_min_count     wanted number of events, by the ticks' event numbers
--   i_min_interval  wanted length of the batch
-- Errors: Not subscriber to queue; PgQ corruption: Consumer does not see tick.
-- Execute: pgq_reader
create or replace function pgq.next_batch_custom(i_queue_name text, i_consumer_name text,
    i_min_lag interval, i_min_count integer, i_min_interval interval,
    out batch_id bigint, out cur_tick_id bigint, out prev_tick_id bigint,
    out cur_tick_time timestamptz, out prev_tick_time timestamptz,
    out cur_tick_event_seq bigint, out prev_tick_event_seq bigint)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off as $$
declare
    _queue integer;
    _consumer integer;
    _active timestamptz;
begin
    select q.queue_id, c.co_id
      into _queue, _consumer
      from pgq.queue q, pgq.consumer c
     where q.queue_name = i_queue_name and c.co_name = i_consumer_name;

    loop
        select s.sub_active, s.sub_batch, s.sub_last_tick, s.sub_next_tick
          into _active, batch_id, prev_tick_id, cur_tick_id
          from pgq.subscription s
         where s.sub_queue = _queue and s.sub_consumer = _consumer
         order by s.sub_active desc
         limit 1;
        if not found then
            raise exception 'Not subscriber to queue: %/%',
                coalesce(i_queue_name, 'NULL'), coalesce(i_consumer_name, 'NULL')
                using hint = 'Register the consumer first: --register, or pgq.register_consumer.';
        end if;

        select t.tick_time, t.tick_event_seq
          into prev_tick_time, prev_tick_event_seq
          from pgq.tick t
         where t.tick_queue = _queue and t.tick_id = prev_tick_id;
        if not found then
            raise exception 'PgQ corruption: Consumer % on queue % does not see tick %',
                i_consumer_name, i_queue_name, null::bigint;
        end if;

        if batch_id is not null then
            select t.tick_time, t.tick_event_seq
              into cur_tick_time, cur_tick_event_seq
              from pgq.tick t
             where t.tick_queue = _queue and t.tick_id = cur_tick_id;
            return;
        end if;

        if i_min_count is null and i_min_interval is null then
            select t.tick_id, t.tick_time, t.tick_event_seq
              into cur_tick_id, cur_tick_time, cur_tick_event_seq
              from pgq.tick t
             where t.tick_queue = _queue and t.tick_id > prev_tick_id
             order by t.tick_queue, t.tick_id
             limit 1;
        else
            select h.next_tick_id, h.next_tick_time, h.next_tick_seq
              into cur_tick_id, cur_tick_time, cur_tick_event_seq
              from pgq.find_tick_helper(_queue, prev_tick_id, prev_tick_time, prev_tick_event_seq,
                                        i_min_count, i_min_interval) h;
        end if;

        if cur_tick_id is null or now() - cur_tick_time < i_min_lag then
            prev_tick_id := null;
            prev_tick_time := null;
            prev_tick_event_seq := null;
            cur_tick_id := null;
            cur_tick_time := null;
            cur_tick_event_seq := null;
            return;
        end if;

        -- Only from the state just seen: another connection may have opened the batch, or finished it, meanwhile.
        update pgq.subscription s
           set sub_batch = nextval('pgq.batch_id_seq'), sub_next_tick = cur_tick_id, sub_active = now()
         where s.sub_queue = _queue
           and s.sub_consumer = _consumer
           and s.sub_active = _active
           and s.sub_batch is null
           and s.sub_last_tick = prev_tick_id
        returning s.sub_batch into batch_id;
        if found then
            return;
        end if;
    end loop;
end;
$$;
