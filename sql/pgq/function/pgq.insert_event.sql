-- Adds an event to a queue and returns its id. Only the queue's name may not be NULL.
-- Errors: Queue name must not be NULL; No such queue; Insert into queue disallowed; Queue allows max events from one TX;
-- serialization_failure above READ COMMITTED when the queue was rotated after the transaction's snapshot.
-- A failed call still uses up an id. Locks: nothing but the event table, as every INSERT.
--
-- The order matters. The transaction gets its number before the queue's row is read: if a rotation is committed after
-- that reading, its second step gets a higher number than ours, and batches that span it look into both tables.
--
-- Security definer without a pinned search_path, which would cost more than the look-up of the queue: every name and
-- operator is qualified instead. PL/pgSQL prepares each expression again in every transaction, so there are few of them.
-- Execute: pgq_writer
create or replace function pgq.insert_event(queue_name text, ev_type text, ev_data text,
    ev_extra1 text, ev_extra2 text, ev_extra3 text, ev_extra4 text)
returns bigint
language plpgsql security definer as $$
declare
    _txid bigint := pg_catalog.txid_current();
    _queue integer;
    _table integer;
    _id bigint;
    _has_checks boolean;
begin
    select q.queue_id, q.queue_cur_table, pg_catalog.nextval(q.queue_event_seq::pg_catalog.regclass),
           q.queue_disable_insert or q.queue_per_tx_limit is not null
           or pg_catalog.current_setting('transaction_isolation') operator(pg_catalog.<>) 'read committed'
      into _queue, _table, _id, _has_checks
      from pgq.queue q
     where q.queue_name operator(pg_catalog.=) $1;
    -- NULL: no such queue.
    if _has_checks is not false then
        return pgq._insert_checked($1, _id, pg_catalog.now(), null, null, $2, $3, $4, $5, $6, $7);
    end if;
-- static inserts
-- end of static inserts
    return pgq._insert_checked($1, _id, pg_catalog.now(), null, null, $2, $3, $4, $5, $6, $7);
end;
$$;

-- The same without extra fields.
create or replace function pgq.insert_event(queue_name text, ev_type text, ev_data text)
returns bigint
language sql as $$
    select pgq.insert_event($1, $2, $3, null, null, null, null)
$$;
