-- Makes <consumer>.<subconsumer> a member of a consumer's group, and registers the consumer itself if needed. Members
-- share the consumer's position and its id as owner of retried events; one without a batch has no ticks.
-- Returns 1, or 0 when it is a member already. Errors as pgq.register_consumer.
-- Execute: pgq_reader
create or replace function pgq_coop.register_subconsumer(i_queue_name text, i_consumer_name text, i_subconsumer_name text)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _name text := i_consumer_name || '.' || i_subconsumer_name;
    _sub_id integer;
begin
    perform pgq.register_consumer(i_queue_name, i_consumer_name);
    if pgq.register_consumer(i_queue_name, _name) = 0 then
        return 0;
    end if;
    select s.sub_id
      into _sub_id
      from pgq.subscription s
      join pgq.queue q on q.queue_id = s.sub_queue
      join pgq.consumer c on c.co_id = s.sub_consumer
     where q.queue_name = i_queue_name and c.co_name = i_consumer_name;
    if not found then
        raise exception 'main consumer not found';
    end if;
    update pgq.subscription s
       set sub_id = _sub_id, sub_last_tick = null, sub_next_tick = null
      from pgq.queue q, pgq.consumer c
     where q.queue_name = i_queue_name and c.co_name = _name
       and s.sub_queue = q.queue_id and s.sub_consumer = c.co_id;
    return 1;
end;
$$;
