-- Drops a queue with everything in it. x_force also unregisters its consumers. Returns 1.
-- Errors: No such event queue; cannot drop queue, consumers still attached.
-- Locks: advisory (1885827444, queue_id), so that no tick is under way, whose transaction has the sequences and will want the
-- queue row; the queue row FOR UPDATE; all its tables ACCESS EXCLUSIVE.
-- Execute: pgq_admin
create or replace function pgq.drop_queue(x_queue_name text, x_force boolean)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _queue record;
    _consumer text;
begin
    perform pg_advisory_xact_lock(1885827444, q.queue_id) from pgq.queue q where q.queue_name = x_queue_name;
    select q.queue_id, q.queue_ntables, q.queue_data_pfx, q.queue_event_seq, q.queue_tick_seq
      into _queue
      from pgq.queue q
     where q.queue_name = x_queue_name
       for update;
    if not found then
        raise exception 'No such event queue';
    end if;

    if x_force then
        for _consumer in
            select i.consumer_name from pgq.get_consumer_info(x_queue_name) i
        loop
            perform pgq.unregister_consumer(x_queue_name, _consumer);
        end loop;
        delete from pgq.retry_queue r where r.ev_queue = _queue.queue_id;
        delete from pgq.failed_queue f where f.ev_queue = _queue.queue_id;
    elsif exists (select from pgq.subscription s where s.sub_queue = _queue.queue_id) then
        raise exception 'cannot drop queue, consumers still attached';
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
language plpgsql strict as $$
begin
    return pgq.drop_queue(x_queue_name, false);
end;
$$;
