-- Chooses the end tick of a batch that should hold i_min_count events or last i_min_interval: the newest tick if it
-- reaches one of them; if it is beyond the double of one, the first tick that reaches one; otherwise none (NULLs).
-- Execute: pgq_reader
create or replace function pgq.find_tick_helper(i_queue_id integer, i_prev_tick_id bigint, i_prev_tick_time timestamptz,
    i_prev_tick_seq bigint, i_min_count bigint, i_min_interval interval,
    out next_tick_id bigint, out next_tick_time timestamptz, out next_tick_seq bigint)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    _count bigint;
    _interval interval;
begin
    select t.tick_id, t.tick_time, t.tick_event_seq
      into next_tick_id, next_tick_time, next_tick_seq
      from pgq.tick t
     where t.tick_queue = i_queue_id and t.tick_id > i_prev_tick_id
     order by t.tick_queue desc, t.tick_id desc
     limit 1;
    if not found then
        return;
    end if;

    _count := next_tick_seq - i_prev_tick_seq;
    _interval := next_tick_time - i_prev_tick_time;
    if _count > i_min_count * 2 or _interval > i_min_interval * 2 then
        select t.tick_id, t.tick_time, t.tick_event_seq
          into next_tick_id, next_tick_time, next_tick_seq
          from pgq.tick t
         where t.tick_queue = i_queue_id
           and t.tick_id > i_prev_tick_id
           and (t.tick_event_seq - i_prev_tick_seq >= i_min_count or t.tick_time - i_prev_tick_time >= i_min_interval)
         order by t.tick_queue, t.tick_id
         limit 1;
    elsif (_count >= i_min_count or _interval >= i_min_interval) is not true then
        next_tick_id := null;
        next_tick_time := null;
        next_tick_seq := null;
    end if;
end;
$$;
