-- Gives a queue transaction numbers of this cluster, after its database was restored from a dump into another one: the
-- stored numbers mean nothing there, the ticker says "Invalid PgQ state", and rotation fails. No event is lost, none
-- comes twice. Safe to repeat, and harmless without need.
--
-- All that numbers tell is which tick first shows an event. So the ticks that somebody needs are numbered again from
-- just below the present, each event gets the number of the first of them that shows it, and other ticks go: the next
-- batch of a consumer may be larger than it would have been.
-- Returns the number of ticks kept. Errors: No such event queue; not enough transaction numbers.
-- Locks: the queue's event tables, then its ticker (who inserts a foreign tick may have the tables), then the queue row, which a
-- ticker waits for; until the end of the transaction.
-- Execute: pgq_admin
create or replace function pgq.reset_txids(i_queue_name text)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _queue record;
    _kept integer;
    _base bigint;
    _txid bigint := txid_current();
begin
    select q.queue_id, q.queue_data_pfx into _queue from pgq.queue q where q.queue_name = i_queue_name;
    if not found then
        raise exception 'No such event queue';
    end if;
    execute format('lock table %s in access exclusive mode', pgq.quote_fqname(_queue.queue_data_pfx));
    perform pg_advisory_xact_lock(1885827444, _queue.queue_id);
    perform from pgq.queue q where q.queue_id = _queue.queue_id for no key update;

    delete from pgq.tick t
     where t.tick_queue = _queue.queue_id
       and t.tick_id not in (
           select s.sub_last_tick from pgq.subscription s where s.sub_queue = _queue.queue_id and s.sub_last_tick is not null
            union
           select s.sub_next_tick from pgq.subscription s where s.sub_queue = _queue.queue_id and s.sub_next_tick is not null
            union
           select max(n.tick_id) from pgq.tick n where n.tick_queue = _queue.queue_id);
    select count(*) into _kept from pgq.tick t where t.tick_queue = _queue.queue_id;

    -- Tick number n shows what is below _base + n; what no tick shows gets _base + _kept.
    _base := _txid - _kept - 1;
    if _base < 3 then
        raise exception 'not enough transaction numbers in this cluster: % ticks, current number %', _kept, _txid;
    end if;
    execute format(
        'update %s e set ev_txid = $1 + coalesce(('
        'select t.number - 1 from (select row_number() over (order by tick_id) as number, tick_snapshot'
        ' from pgq.tick where tick_queue = $2) t'
        ' where txid_visible_in_snapshot(e.ev_txid, t.tick_snapshot) order by t.number limit 1), $3)',
        pgq.quote_fqname(_queue.queue_data_pfx))
      using _base, _queue.queue_id, _kept;
    update pgq.tick t
       set tick_snapshot = concat(_base + k.number, ':', _base + k.number, ':')::txid_snapshot
      from (select n.tick_id, row_number() over (order by n.tick_id) as number
              from pgq.tick n
             where n.tick_queue = _queue.queue_id) k
     where t.tick_queue = _queue.queue_id and t.tick_id = k.tick_id;
    -- A switch before all ticks and not confirmed: batches look into both tables.
    update pgq.queue q
       set queue_switch_step1 = _base, queue_switch_step2 = null, queue_switch_time = now()
     where q.queue_id = _queue.queue_id;
    return _kept;
end;
$$;
