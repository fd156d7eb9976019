-- Ticks: marks in the stream of events, each a snapshot. A batch is what lies between two of them.
--
-- One ticker a queue: ticks whose ids and snapshots are in different order would deliver events twice. The lock is taken
-- in a statement of its own, since a statement's snapshot is older than any lock that it takes. Who finds it taken makes
-- no tick: another one is being made. Under READ COMMITTED what follows the lock then sees every earlier tick.

-- Makes a tick where one is due: enough new events, the last tick old enough, or a queue idle for long (each wait on an
-- idle queue twice as long as the one before). Returns the tick's id, or NULL. Call it in a transaction of its own.
-- Errors: no such queue; This queue has external tick source.; Ticker has been paused for this queue; Invalid PgQ state
-- (the database was restored into a cluster with smaller transaction numbers); serialization_failure above READ
-- COMMITTED when another ticker came in between.
-- Locks: advisory (1885827444, queue_id) until the end of the transaction.
-- Execute: pgq_admin
create or replace function pgq.ticker(i_queue_name text)
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _queue record;
    _last record;
    _before timestamptz;
    _event_seq bigint;
    _new bigint;
    _lag interval;
    _txid bigint;
    _tick bigint;
begin
    select q.queue_id, q.queue_tick_seq, q.queue_event_seq, q.queue_external_ticker, q.queue_ticker_paused,
           q.queue_ticker_max_count, q.queue_ticker_max_lag, q.queue_ticker_idle_period
      into _queue
      from pgq.queue q
     where q.queue_name = i_queue_name;
    if not found then
        raise exception 'no such queue';
    end if;
    if _queue.queue_external_ticker then
        raise exception 'This queue has external tick source.';
    end if;
    if _queue.queue_ticker_paused then
        raise exception 'Ticker has been paused for this queue';
    end if;
    if not pg_try_advisory_xact_lock(1885827444, _queue.queue_id) then
        return null;
    end if;

    -- Read before the tick's snapshot, so that it never counts events of a later batch as delivered.
    _event_seq := pgq.seq_getval(_queue.queue_event_seq);
    select t.tick_id, t.tick_time, t.tick_snapshot, t.tick_event_seq
      into _last
      from pgq.tick t
     where t.tick_queue = _queue.queue_id
     order by t.tick_queue desc, t.tick_id desc
     limit 1;

    if found then
        _txid := coalesce(txid_current_if_assigned(), txid_snapshot_xmax(txid_current_snapshot()));
        _new := _event_seq - _last.tick_event_seq;
        -- Distance in either direction: a clock that was set back must not stop the queue until it has caught up.
        _lag := greatest(now() - _last.tick_time, _last.tick_time - now());
        if txid_snapshot_xmin(_last.tick_snapshot) > _txid then
            raise exception 'Invalid PgQ state: old xmin=%, old xmax=%, cur txid=%',
                txid_snapshot_xmin(_last.tick_snapshot), txid_snapshot_xmax(_last.tick_snapshot), _txid
                using hint = 'After a restore into another cluster run pgq.reset_txids on each queue.';
        end if;
        if _new < 0 then
            raise warning 'Negative new_events?  old=% cur=%', _last.tick_event_seq, _event_seq;
        end if;
        if txid_snapshot_xmax(_last.tick_snapshot) > _txid then
            raise warning 'Dubious PgQ state: old xmax=%, cur txid=%', txid_snapshot_xmax(_last.tick_snapshot), _txid;
        end if;

        if _new > 0 then
            if _new < _queue.queue_ticker_max_count and _lag < _queue.queue_ticker_max_lag then
                return null;
            end if;
        else
            select t.tick_time
              into _before
              from pgq.tick t
             where t.tick_queue = _queue.queue_id and t.tick_id < _last.tick_id
             order by t.tick_queue desc, t.tick_id desc
             limit 1;
            if found and (_lag < _queue.queue_ticker_max_lag / 2
                          or (_lag < (_last.tick_time - _before) * 2 and _lag < _queue.queue_ticker_idle_period))
            then
                return null;
            end if;
        end if;
        if current_setting('transaction_isolation') <> 'read committed' then
            perform pgq._check_unseen_ticks(_queue.queue_id, _last.tick_id, pgq.seq_getval(_queue.queue_tick_seq));
        end if;
    end if;

    insert into pgq.tick (tick_queue, tick_id, tick_event_seq)
    values (_queue.queue_id, nextval(_queue.queue_tick_seq::regclass), _event_seq)
    returning tick_id into _tick;
    return _tick;
end;
$$;

-- Ticks every queue that is neither external nor paused, by name. Returns how many ticks were made.
create or replace function pgq.ticker()
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _name text;
    _count bigint := 0;
begin
    for _name in
        select q.queue_name
          from pgq.queue q
         where not q.queue_external_ticker and not q.queue_ticker_paused
         order by q.queue_name
    loop
        if pgq.ticker(_name) > 0 then
            _count := _count + 1;
        end if;
    end loop;
    return _count;
end;
$$;

-- Takes over a tick of another database: id, time and event number as given, the snapshot of now. Returns its id.
-- Errors: queue not found or ticker disabled; a unique violation for a tick that exists.
create or replace function pgq.ticker(i_queue_name text, i_tick_id bigint, i_orig_timestamp timestamptz, i_event_seq bigint)
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _queue record;
begin
    select q.queue_id, q.queue_tick_seq, q.queue_event_seq
      into _queue
      from pgq.queue q
     where q.queue_name = i_queue_name and q.queue_external_ticker and not q.queue_ticker_paused;
    if not found then
        raise exception 'queue not found or ticker disabled: %', i_queue_name;
    end if;
    perform pg_advisory_xact_lock(1885827444, _queue.queue_id);
    insert into pgq.tick (tick_queue, tick_id, tick_time, tick_event_seq)
    values (_queue.queue_id, i_tick_id, i_orig_timestamp, i_event_seq);
    perform pgq.seq_setval(_queue.queue_tick_seq, i_tick_id);
    perform pgq.seq_setval(_queue.queue_event_seq, i_event_seq);
    return i_tick_id;
end;
$$;

-- For transactions above READ COMMITTED: fails with serialization_failure if a tick between the newest one that the
-- transaction sees and i_last_id is committed. Inserting its id again finds it out, and only gaps that a rolled-back
-- tick left behind get that far.
-- Execute: none
create or replace function pgq._check_unseen_ticks(i_queue integer, i_seen_id bigint, i_last_id bigint)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into pgq.tick (tick_queue, tick_id, tick_event_seq)
    select i_queue, n.id, 0 from pg_catalog.generate_series(i_seen_id + 1, i_last_id) n (id)
        on conflict do nothing;
    delete from pgq.tick t where t.tick_queue = i_queue and t.tick_id > i_seen_id;
end;
$$;
