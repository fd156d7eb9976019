-- What an open batch is: consumer, time and tick window, age of its end, event numbers as hints.
-- One row of NULLs for a batch that is not open.
-- Execute: pgq_reader
create or replace function pgq.get_batch_info(x_batch_id bigint,
    out queue_name text, out consumer_name text, out batch_start timestamptz, out batch_end timestamptz,
    out prev_tick_id bigint, out tick_id bigint, out lag interval, out seq_start bigint, out seq_end bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    select q.queue_name, c.co_name, lt.tick_time, nt.tick_time, s.sub_last_tick, s.sub_next_tick,
           now() - nt.tick_time, lt.tick_event_seq, nt.tick_event_seq
      into queue_name, consumer_name, batch_start, batch_end, prev_tick_id, tick_id, lag, seq_start, seq_end
      from pgq.subscription s
      join pgq.queue q on q.queue_id = s.sub_queue
      join pgq.consumer c on c.co_id = s.sub_consumer
      join pgq.tick lt on lt.tick_queue = s.sub_queue and lt.tick_id = s.sub_last_tick
      join pgq.tick nt on nt.tick_queue = s.sub_queue and nt.tick_id = s.sub_next_tick
     where s.sub_batch = x_batch_id;
end;
$$;
