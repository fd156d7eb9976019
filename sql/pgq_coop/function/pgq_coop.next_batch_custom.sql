-- Gives a subconsumer a batch: its open one again; or that of a member without a sign of life for i_dead_interval, under
-- the same number; or the group's next one, chosen as pgq.next_batch_custom does. NULL when there is none.
-- Unknown consumers and subconsumers are registered. Batches are handed out in order and processed side by side.
-- A dead member without a batch is removed too; it comes back with its next call. One that is just being changed lives.
-- Errors: main consumer has batch open?; subconsumer not found; those of pgq.next_batch_custom.
-- Locks: the member's subscription, then the main one, until the end of the transaction, so members should commit right after
-- the call. A member that has just finished a batch has its own already; and who registers has rows of consumers first.
-- Execute: pgq_reader
create or replace function pgq_coop.next_batch_custom(i_queue_name text, i_consumer_name text, i_subconsumer_name text,
    i_min_lag interval, i_min_count integer, i_min_interval interval, i_dead_interval interval)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off as $$
declare
    _main pgq.subscription;
    _sub pgq.subscription;
    _dead pgq.subscription;
    _batch record;
begin
    _sub := pgq_coop._lock_subscription(i_queue_name, i_consumer_name || '.' || i_subconsumer_name);
    if _sub.sub_id is null then
        perform pgq_coop.register_subconsumer(i_queue_name, i_consumer_name, i_subconsumer_name);
        _sub := pgq_coop._lock_subscription(i_queue_name, i_consumer_name || '.' || i_subconsumer_name);
        if _sub.sub_id is null then
            raise exception 'subconsumer not found';
        end if;
    end if;
    _main := pgq_coop._lock_subscription(i_queue_name, i_consumer_name);
    if _main.sub_id is null then
        perform pgq_coop.register_subconsumer(i_queue_name, i_consumer_name, i_subconsumer_name);
        _main := pgq_coop._lock_subscription(i_queue_name, i_consumer_name);
    end if;
    if _main.sub_batch is not null then
        raise exception 'main consumer has batch open?';
    end if;

    if _sub.sub_batch is not null then
        update pgq.subscription s set sub_active = now() where s.sub_batch = _sub.sub_batch;
        return _sub.sub_batch;
    end if;

    if i_dead_interval is not null then
        select s.*
          into _dead
          from pgq.subscription s
         where s.sub_queue = _main.sub_queue
           and s.sub_id = _main.sub_id
           and s.sub_consumer not in (_main.sub_consumer, _sub.sub_consumer)
           and s.sub_active < now() - i_dead_interval
         order by s.sub_batch, s.sub_active
         limit 1
           for update skip locked;
        if found then
            delete from pgq.subscription s
             where s.sub_queue = _dead.sub_queue and s.sub_consumer = _dead.sub_consumer;
            if _dead.sub_batch is not null then
                perform pgq_coop._set_batch(_sub, _dead.sub_batch, _dead.sub_last_tick, _dead.sub_next_tick);
                return _dead.sub_batch;
            end if;
        end if;
    end if;

    select b.batch_id, b.prev_tick_id, b.cur_tick_id
      into _batch
      from pgq.next_batch_custom(i_queue_name, i_consumer_name, i_min_lag, i_min_count, i_min_interval) b;
    if _batch.batch_id is null then
        return null;
    end if;
    perform pgq.finish_batch(_batch.batch_id);
    perform pgq_coop._set_batch(_sub, _batch.batch_id, _batch.prev_tick_id, _batch.cur_tick_id);
    return _batch.batch_id;
end;
$$;

-- The same without taking over anybody's batch.
create or replace function pgq_coop.next_batch_custom(i_queue_name text, i_consumer_name text, i_subconsumer_name text,
    i_min_lag interval, i_min_count integer, i_min_interval interval)
returns bigint
language plpgsql as $$
begin
    return pgq_coop.next_batch_custom(i_queue_name, i_consumer_name, i_subconsumer_name,
                                      i_min_lag, i_min_count, i_min_interval, null);
end;
$$;

-- A consumer's subscription, locked; NULLs when it has none.
-- Execute: none
create or replace function pgq_coop._lock_subscription(i_queue_name text, i_consumer_name text)
returns pgq.subscription
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    _queue integer;
    _consumer integer;
    _sub pgq.subscription;
begin
    select q.queue_id, c.co_id
      into _queue, _consumer
      from pgq.queue q, pgq.consumer c
     where q.queue_name = i_queue_name and c.co_name = i_consumer_name;
    select s.*
      into _sub
      from pgq.subscription s
     where s.sub_queue = _queue and s.sub_consumer = _consumer
     order by s.sub_active desc
     limit 1
       for update;
    return _sub;
end;
$$;

-- Gives a locked subconsumer a batch.
-- Execute: none
create or replace function pgq_coop._set_batch(i_sub pgq.subscription, i_batch bigint, i_last_tick bigint, i_next_tick bigint)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update pgq.subscription s
       set sub_batch = i_batch, sub_last_tick = i_last_tick, sub_next_tick = i_next_tick, sub_active = now()
     where s.sub_queue = i_sub.sub_queue and s.sub_consumer = i_sub.sub_consumer and s.sub_active = i_sub.sub_active;
end;
$$;
