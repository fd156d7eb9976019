-- Drops a queue with everything in it. x_force also unregisters its consumers. Returns 1.
-- Errors: No such event queue; cannot drop queue, consumers still attached; lock_not_available after the session's lock_timeout.
-- Locks: see pgq._lock_queue; while a producer or consumer has one of them, it is tried again and again.
-- Execute: pgq_admin
create or replace function pgq.drop_queue(x_queue_name text, x_force boolean)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _queue record;
    _consumer text;
begin
    select q.queue_id, q.queue_ntables, q.queue_data_pfx, q.queue_event_seq, q.queue_tick_seq
      into _queue
      from pgq.queue q
     where q.queue_name = x_queue_name;
    if not found then
        raise exception 'No such event queue';
    end if;
    perform pgq._lock_queue(_queue.queue_id, x_force is not true);

    if x_force then
        for _consumer in
            select i.consumer_name from pgq.get_consumer_info(x_queue_name) i
        loop
            perform pgq.unregister_consumer(x_queue_name, _consumer);
        end loop;
        delete from pgq.retry_queue r where r.ev_queue = _queue.queue_id;
        delete from pgq.failed_queue f where f.ev_queue = _queue.queue_id;
    end if;

    for _number in 0 .. _queue.queue_ntables - 1
    loop
        execute format('drop table %s', pgq.quote_fqname(_queue.queue_data_pfx || '_' || _number));
    end loop;
    execute format('drop table %s', pgq.quote_fqname(_queue.queue_data_pfx));
    delete from pgq.tick t where t.tick_queue = _queue.queue_id;
    execute format('drop sequence %s', pgq.quote_fqname(_queue.queue_tick_seq));
    execute format('drop sequence %s', pgq.quote_fqname(_queue.queue_event_seq));
    delete from pgq.queue q where q.queue_id = _queue.queue_id;
    perform pgq._refresh_static_inserts();
    return 1;
end;
$$;

-- Drops a queue without consumers. NULL gives NULL.
create or replace function pgq.drop_queue(x_queue_name text)
returns integer
language plpgsql strict set search_path = pg_catalog, pg_temp as $$
begin
    return pgq.drop_queue(x_queue_name, false);
end;
$$;

-- Takes all locks that dropping a queue needs: its ticker's, the queue row and the rows of its consumers FOR UPDATE, its tables
-- and sequences ACCESS EXCLUSIVE.
--
-- No order of them would do. pgq.insert_event has the sequence when it comes to the table, a generated capture the table when it
-- comes to the sequence; a consumer has its row when it comes to the tables, or the tables when it comes to its row. So nobody is
-- waited for while others wait for us, longer than it takes the server to find a deadlock: all is let go and tried again. Who never
-- lets us get so far is waited for after half a minute.
-- i_is_unattached: refuse when there are consumers
-- Execute: none
create or replace function pgq._lock_queue(i_queue_id integer, i_is_unattached boolean)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    _timeout text := pg_catalog.current_setting('lock_timeout');
    _begin timestamptz := pg_catalog.clock_timestamp();
    _is_patient boolean := false;
    _queue record;
    _sequence text;
begin
    loop
        begin
            perform pg_catalog.set_config('lock_timeout', case when _is_patient then _timeout else '100ms' end, true);
            perform pg_catalog.pg_advisory_xact_lock(1885827444, i_queue_id);
            select q.queue_data_pfx, q.queue_event_seq, q.queue_tick_seq
              into _queue
              from pgq.queue q
             where q.queue_id = i_queue_id
               for update;
            if not found then
                raise exception 'No such event queue';
            end if;
            if i_is_unattached and exists (select from pgq.subscription s where s.sub_queue = i_queue_id) then
                raise exception 'cannot drop queue, consumers still attached';
            end if;
            perform from pgq.subscription s
               join pgq.consumer c on c.co_id = s.sub_consumer
              where s.sub_queue = i_queue_id
                for update of c, s;
            perform from pgq.retry_queue r where r.ev_queue = i_queue_id for update;
            perform from pgq.failed_queue f where f.ev_queue = i_queue_id for update;
            execute 'lock table ' || pgq.quote_fqname(_queue.queue_data_pfx) || ' in access exclusive mode';
            foreach _sequence in array array[_queue.queue_event_seq, _queue.queue_tick_seq]
            loop
                -- Changes nothing: LOCK TABLE does not take sequences.
                execute pg_catalog.format('alter sequence %s owner to %I', pgq.quote_fqname(_sequence), (
                    select pg_catalog.pg_get_userbyid(c.relowner)
                      from pg_catalog.pg_class c
                     where c.oid = pgq.quote_fqname(_sequence)::pg_catalog.regclass));
            end loop;
            perform pg_catalog.set_config('lock_timeout', _timeout, true);
            return;
        exception
            when lock_not_available or deadlock_detected then
                if _is_patient or pg_catalog.clock_timestamp() >= _begin + nullif(_timeout, '0')::interval then
                    raise;
                end if;
                _is_patient := pg_catalog.clock_timestamp() >= _begin + interval '30 seconds';
                perform pg_catalog.pg_sleep(0.05 + pg_catalog.random() * 0.1);
        end;
    end loop;
end;
$$;
