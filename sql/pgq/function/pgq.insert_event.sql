-- Adds an event to a queue and returns its id. Only the queue's name may not be NULL.
-- Errors: Queue name must not be NULL; No such queue; Insert into queue disallowed; Queue allows max events from one TX;
-- serialization_failure above READ COMMITTED when the queue was rotated after the transaction's snapshot.
-- A failed call still uses up an id. Locks: nothing but the event table, as every INSERT.
--
-- The order matters. The transaction gets its number before the queue's row is read: if a rotation is committed after
-- that reading, its second step gets a higher number than ours, and batches that span it look into both tables.
-- Security definer without a pinned search_path: every name and operator is qualified (see pgq._event_writer).
-- Execute: pgq_writer
create or replace function pgq.insert_event(queue_name text, ev_type text, ev_data text,
    ev_extra1 text, ev_extra2 text, ev_extra3 text, ev_extra4 text)
returns bigint
language plpgsql security definer as $$
declare
    _txid bigint := pg_catalog.txid_current();
    _queue integer;
    _table integer;
    _disabled boolean;
    _limit integer;
    _prefix text;
    _id bigint;
begin
    select q.queue_id, q.queue_cur_table, q.queue_disable_insert, q.queue_per_tx_limit, q.queue_data_pfx,
           pg_catalog.nextval(q.queue_event_seq::pg_catalog.regclass)
      into _queue, _table, _disabled, _limit, _prefix, _id
      from pgq.queue q
     where q.queue_name operator(pg_catalog.=) insert_event.queue_name;
    if _queue is null then
        if queue_name is null then
            raise exception 'Queue name must not be NULL';
        end if;
        raise exception 'No such queue';
    end if;
    if _disabled and pg_catalog.current_setting('session_replication_role') operator(pg_catalog.<>) 'replica' then
        raise exception 'Insert into queue disallowed';
    end if;
    if _limit operator(pg_catalog.>=) 0 then
        perform pgq._check_tx_limit(_queue, queue_name, _limit, 1);
    end if;
    if not pgq._write_event(_queue, _table, _id, pg_catalog.now(), null, null,
                            ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
    then
        perform pgq._write_event_dynamic(_prefix, _table, _id, pg_catalog.now(), null, null,
                                         ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4);
    end if;
    if pg_catalog.current_setting('transaction_isolation') operator(pg_catalog.<>) 'read committed' then
        perform pgq._check_rotation(_queue);
    end if;
    return _id;
end;
$$;

-- The same without extra fields.
create or replace function pgq.insert_event(queue_name text, ev_type text, ev_data text)
returns bigint
language sql as $$
    select pgq.insert_event($1, $2, $3, null, null, null, null)
$$;
