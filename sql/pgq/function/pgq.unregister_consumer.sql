-- Ends a subscription. A cooperating subconsumer leaves its group; a main consumer takes the group with it, and the
-- events parked or failed for it. Returns the number of subscriptions removed, 0 when not subscribed.
-- Locks: the consumer row first, FOR NO KEY UPDATE as pgq.register_consumer_at; then subscription rows, members before the main
-- consumer, as pgq_coop.next_batch.
-- Execute: pgq_reader
create or replace function pgq.unregister_consumer(x_queue_name text, x_consumer_name text)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _consumer integer;
    _sub record;
    _removed integer;
begin
    select c.co_id
      into _consumer
      from pgq.subscription s
      join pgq.queue q on q.queue_id = s.sub_queue
      join pgq.consumer c on c.co_id = s.sub_consumer
     where q.queue_name = x_queue_name and c.co_name = x_consumer_name
       for no key update of c;
    if not found then
        return 0;
    end if;
    select s.sub_id, s.sub_queue,
           ((s.sub_last_tick is null) = (s.sub_next_tick is null) or pgq._is_subconsumer(s.sub_id, x_consumer_name))
           and exists (select from pgq.subscription o where o.sub_id = s.sub_id and o.sub_consumer <> _consumer) as is_member
      into _sub
      from pgq.subscription s
      join pgq.queue q on q.queue_id = s.sub_queue
     where q.queue_name = x_queue_name and s.sub_consumer = _consumer;
    if not found then
        return 0;
    end if;

    if _sub.is_member then
        delete from pgq.subscription s where s.sub_queue = _sub.sub_queue and s.sub_consumer = _consumer;
        get diagnostics _removed = row_count;
        return _removed;
    end if;

    perform from pgq.subscription s
      where s.sub_id = _sub.sub_id
      order by s.sub_consumer = _consumer, s.sub_consumer
        for update;
    delete from pgq.retry_queue r where r.ev_owner = _sub.sub_id;
    delete from pgq.failed_queue f where f.ev_owner = _sub.sub_id;
    delete from pgq.subscription s where s.sub_id = _sub.sub_id;
    get diagnostics _removed = row_count;
    delete from pgq.consumer c
     where c.co_id = _consumer
       and not exists (select from pgq.subscription s where s.sub_consumer = c.co_id);
    return _removed;
end;
$$;

-- Does the name belong to a subconsumer of the group: another member's name, a dot, and more?
-- Execute: pgq_admin
create or replace function pgq._is_subconsumer(i_sub_id integer, i_consumer_name text)
returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select exists (
        select from pgq.subscription m
          join pgq.consumer c on c.co_id = m.sub_consumer
         where m.sub_id = i_sub_id and pg_catalog.starts_with(i_consumer_name, c.co_name || '.'))
$$;
