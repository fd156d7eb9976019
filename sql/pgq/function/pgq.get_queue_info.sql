-- One row a queue, by name: settings, lag of the ticker, rate of events, events since the newest tick, newest tick.
-- ev_per_sec is taken over the last 20 ticks. NULL: all queues; an unknown name: no rows.
-- Execute: public
create or replace function pgq.get_queue_info(i_queue_name text,
    out queue_name text, out queue_ntables integer, out queue_cur_table integer,
    out queue_rotation_period interval, out queue_switch_time timestamptz, out queue_external_ticker boolean,
    out queue_ticker_paused boolean, out queue_ticker_max_count integer, out queue_ticker_max_lag interval,
    out queue_ticker_idle_period interval, out ticker_lag interval, out ev_per_sec double precision,
    out ev_new bigint, out last_tick_id bigint)
returns setof record
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    return query
        select q.queue_name, q.queue_ntables, q.queue_cur_table, q.queue_rotation_period, q.queue_switch_time,
               q.queue_external_ticker, q.queue_ticker_paused, q.queue_ticker_max_count, q.queue_ticker_max_lag,
               q.queue_ticker_idle_period,
               pg_catalog.now() - newest.tick_time,
               case when older.tick_time < newest.tick_time
                    then (newest.tick_event_seq - older.tick_event_seq)
                         / extract(epoch from newest.tick_time - older.tick_time)::double precision
               end,
               pgq.seq_getval(q.queue_event_seq) - newest.tick_event_seq,
               newest.tick_id
          from pgq.queue q
          left join lateral (
               select t.tick_id, t.tick_time, t.tick_event_seq
                 from pgq.tick t
                where t.tick_queue = q.queue_id
                order by t.tick_queue desc, t.tick_id desc
                limit 1) newest on true
          left join lateral (
               select t.tick_time, t.tick_event_seq
                 from pgq.tick t
                where t.tick_queue = q.queue_id and t.tick_id >= newest.tick_id - 20
                order by t.tick_queue, t.tick_id
                limit 1) older on true
         where i_queue_name is null or q.queue_name = i_queue_name
         order by q.queue_name;
end;
$$;

-- All queues.
create or replace function pgq.get_queue_info(
    out queue_name text, out queue_ntables integer, out queue_cur_table integer,
    out queue_rotation_period interval, out queue_switch_time timestamptz, out queue_external_ticker boolean,
    out queue_ticker_paused boolean, out queue_ticker_max_count integer, out queue_ticker_max_lag interval,
    out queue_ticker_idle_period interval, out ticker_lag interval, out ev_per_sec double precision,
    out ev_new bigint, out last_tick_id bigint)
returns setof record
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    return query select * from pgq.get_queue_info(null);
end;
$$;
