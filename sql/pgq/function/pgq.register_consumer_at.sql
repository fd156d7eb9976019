-- Subscribes a consumer to a queue from a given tick on, or moves a subscribed one there and discards its open batch.
-- With a NULL tick: from the newest tick on, and a subscribed consumer stays where it is.
-- Returns 1, or 0 when it was subscribed already.
-- Errors: Event queue not created yet; cannot reposition, tick not found; No ticks for this queue.
-- Locks: the consumer's row FOR NO KEY UPDATE: a transaction that changes its subscription twice looks up the foreign key.
-- Execute: pgq_reader
create or replace function pgq.register_consumer_at(x_queue_name text, x_consumer_name text, x_tick_pos bigint)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _queue integer;
    _consumer integer;
    _tick bigint := x_tick_pos;
begin
    select q.queue_id into _queue from pgq.queue q where q.queue_name = x_queue_name;
    if not found then
        raise exception 'Event queue not created yet';
    end if;

    select c.co_id into _consumer from pgq.consumer c where c.co_name = x_consumer_name for no key update;
    if not found then
        insert into pgq.consumer (co_name) values (x_consumer_name) returning co_id into _consumer;
    end if;

    if _tick is not null and not exists (
        select from pgq.tick t where t.tick_queue = _queue and t.tick_id = _tick)
    then
        raise exception 'cannot reposition, tick not found: %', _tick;
    end if;

    if exists (select from pgq.subscription s where s.sub_queue = _queue and s.sub_consumer = _consumer) then
        if _tick is not null then
            update pgq.subscription s
               set sub_last_tick = _tick, sub_batch = null, sub_next_tick = null, sub_active = now()
             where s.sub_queue = _queue and s.sub_consumer = _consumer;
        end if;
        return 0;
    end if;

    if _tick is null then
        select t.tick_id
          into _tick
          from pgq.tick t
         where t.tick_queue = _queue
         order by t.tick_queue desc, t.tick_id desc
         limit 1;
        if not found then
            raise exception 'No ticks for this queue.  Please run ticker on database.';
        end if;
    end if;
    -- No constraint forbids a second row. A lock alone does not show in transactions above READ COMMITTED, a change does.
    update pgq.consumer c set co_name = c.co_name where c.co_id = _consumer;
    insert into pgq.subscription (sub_queue, sub_consumer, sub_last_tick) values (_queue, _consumer, _tick);
    return 1;
end;
$$;
