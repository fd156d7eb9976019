-- Switches a queue to its next table, after truncating that, if the rotation period is over, the last switch is
-- confirmed, and no consumer needs anything from before it. Otherwise nothing happens. Always returns 0.
-- Errors: queue maint failure (transaction numbers went back, or a consumer's tick is missing).
-- Locks: the queue row FOR NO KEY UPDATE, which tickers and inserters do not wait for; the next table ACCESS EXCLUSIVE
-- without waiting: a reader or a dump on it puts the rotation off.
-- Execute: pgq_admin
create or replace function pgq.maint_rotate_tables_step1(i_queue_name text)
returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    _queue record;
    _lowest_tick bigint;
    _lowest_xmin bigint;
    _next integer;
    _table text;
    _txid bigint := pg_catalog.txid_current();
begin
    select q.queue_id, q.queue_cur_table, q.queue_ntables, q.queue_data_pfx, q.queue_switch_step1, q.queue_switch_step2
      into _queue
      from pgq.queue q
     where q.queue_name = i_queue_name
       and q.queue_rotation_period is not null
       and q.queue_switch_step2 is not null
       and q.queue_switch_time + q.queue_rotation_period < pg_catalog.now()
       for no key update;
    if not found then
        return 0;
    end if;
    if _txid < _queue.queue_switch_step1 then
        raise exception 'queue % maint failure: step1=%, current=%', i_queue_name, _queue.queue_switch_step1, _txid
            using hint = 'After a restore into another cluster run pgq.reset_txids on each queue.';
    end if;
    if _queue.queue_ntables < 2 then
        raise exception 'queue % maint failure: queue_ntables=%', i_queue_name, _queue.queue_ntables;
    end if;

    -- A subconsumer without a batch needs nothing, whatever tick an ordinary finish_batch left with it.
    select pg_catalog.min(s.sub_last_tick)
      into _lowest_tick
      from pgq.subscription s
      join pgq.consumer c on c.co_id = s.sub_consumer
     where s.sub_queue = _queue.queue_id
       and (s.sub_batch is not null or not pgq._is_subconsumer(s.sub_id, c.co_name));
    if _lowest_tick is not null then
        select pg_catalog.txid_snapshot_xmin(t.tick_snapshot)
          into _lowest_xmin
          from pgq.tick t
         where t.tick_queue = _queue.queue_id and t.tick_id = _lowest_tick;
        if not found then
            raise exception 'queue % maint failure: tick % not found', i_queue_name, _lowest_tick;
        end if;
    else
        -- A consumer that comes while a transaction is open may need its events, which may be in the previous table.
        _lowest_xmin := pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot());
    end if;
    if _lowest_xmin <= _queue.queue_switch_step2 then
        return 0;
    end if;

    _next := (_queue.queue_cur_table + 1) % _queue.queue_ntables;
    _table := pgq.quote_fqname(_queue.queue_data_pfx || '_' || _next);
    begin
        execute 'lock table ' || _table || ' in access exclusive mode nowait';
    exception
        when lock_not_available then
            return 0;
    end;
    execute 'truncate ' || _table;

    update pgq.queue q
       set queue_cur_table = _next, queue_switch_time = pg_catalog.now(),
           queue_switch_step1 = _txid, queue_switch_step2 = null
     where q.queue_id = _queue.queue_id;

    -- The newest tick always stays: a new consumer starts there.
    delete from pgq.tick t
     where t.tick_queue = _queue.queue_id
       and pg_catalog.txid_snapshot_xmin(t.tick_snapshot) < _queue.queue_switch_step2
       and t.tick_id < (select n.tick_id
                          from pgq.tick n
                         where n.tick_queue = _queue.queue_id
                         order by n.tick_queue desc, n.tick_id desc
                         limit 1);
    return 0;
end;
$$;
