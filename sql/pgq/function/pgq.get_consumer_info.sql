-- One row a subscription, by queue and consumer. lag is the age of the last finished tick, last_seen that of the last
-- opened or finished batch; pending_events is estimated from event numbers. NULL for a name: all; unknown: no rows.
-- Execute: public
create or replace function pgq.get_consumer_info(i_queue_name text, i_consumer_name text,
    out queue_name text, out consumer_name text, out lag interval, out last_seen interval, out last_tick bigint,
    out current_batch bigint, out next_tick bigint, out pending_events bigint)
returns setof record
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return query
        with sub as (
            select s.*
              from pgq.subscription s
             where i_queue_name is null or i_consumer_name is null
             union all
            -- One consumer asks for itself, perhaps often: the newest version first (see structure/tables.sql).
            select s.*
              from pgq.queue q
             cross join pgq.consumer c
             cross join lateral (
                   select n.*
                     from pgq.subscription n
                    where n.sub_queue = q.queue_id and n.sub_consumer = c.co_id
                    order by n.sub_active desc
                    limit 1) s
             where q.queue_name = i_queue_name and c.co_name = i_consumer_name
        )
        select q.queue_name, c.co_name, now() - t.tick_time, now() - s.sub_active, s.sub_last_tick, s.sub_batch,
               s.sub_next_tick, newest.tick_event_seq - t.tick_event_seq
          from sub s
          join pgq.queue q on q.queue_id = s.sub_queue
          join pgq.consumer c on c.co_id = s.sub_consumer
          left join pgq.tick t on t.tick_queue = s.sub_queue and t.tick_id = s.sub_last_tick
          left join lateral (
               select n.tick_event_seq
                 from pgq.tick n
                where n.tick_queue = s.sub_queue
                order by n.tick_queue desc, n.tick_id desc
                limit 1) newest on true
         where (i_queue_name is null or q.queue_name = i_queue_name)
           and (i_consumer_name is null or c.co_name = i_consumer_name)
         order by q.queue_name, c.co_name;
end;
$$;

-- All consumers of a queue.
create or replace function pgq.get_consumer_info(i_queue_name text,
    out queue_name text, out consumer_name text, out lag interval, out last_seen interval, out last_tick bigint,
    out current_batch bigint, out next_tick bigint, out pending_events bigint)
returns setof record
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return query select * from pgq.get_consumer_info(i_queue_name, null);
end;
$$;

-- All consumers of all queues.
create or replace function pgq.get_consumer_info(
    out queue_name text, out consumer_name text, out lag interval, out last_seen interval, out last_tick bigint,
    out current_batch bigint, out next_tick bigint, out pending_events bigint)
returns setof record
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return query select * from pgq.get_consumer_info(null, null);
end;
$$;
