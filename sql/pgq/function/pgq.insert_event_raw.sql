-- Adds an event with given id, time, owner and retry count; NULL id and time are filled in. Returns the id.
-- The event sequence advances in every case: that is how the ticker notices events that come again.
-- Errors and locks as pgq.insert_event. Runs with the caller's rights.
-- Execute: pgq_admin
create or replace function pgq.insert_event_raw(queue_name text, ev_id bigint, ev_time timestamptz,
    ev_owner integer, ev_retry integer, ev_type text, ev_data text,
    ev_extra1 text, ev_extra2 text, ev_extra3 text, ev_extra4 text)
returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    _id bigint;
begin
    select pg_catalog.nextval(q.queue_event_seq::pg_catalog.regclass)
      into _id
      from pgq.queue q
     where q.queue_name operator(pg_catalog.=) insert_event_raw.queue_name;
    return pgq._insert_checked(queue_name, coalesce(ev_id, _id), coalesce(ev_time, pg_catalog.now()), ev_owner, ev_retry,
                               ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4);
end;
$$;

-- Writes an event with all checks, by a statement planned for it. The event sequence has been advanced before.
-- Execute: pgq_admin
create or replace function pgq._insert_checked(i_queue_name text, i_id bigint, i_time timestamptz,
    i_owner integer, i_retry integer, i_type text, i_data text,
    i_extra1 text, i_extra2 text, i_extra3 text, i_extra4 text)
returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    _txid bigint := pg_catalog.txid_current();
    _queue record;
begin
    select q.queue_id, q.queue_disable_insert, q.queue_per_tx_limit,
           pg_catalog.concat(q.queue_data_pfx, '_', q.queue_cur_table) as event_table
      into _queue
      from pgq.queue q
     where q.queue_name operator(pg_catalog.=) i_queue_name;
    if not found then
        if i_queue_name is null then
            raise exception 'Queue name must not be NULL';
        end if;
        raise exception 'No such queue';
    end if;
    if _queue.queue_disable_insert
       and pg_catalog.current_setting('session_replication_role') operator(pg_catalog.<>) 'replica'
    then
        raise exception 'Insert into queue disallowed';
    end if;
    if _queue.queue_per_tx_limit operator(pg_catalog.>=) 0 then
        perform pgq._check_tx_limit(_queue.queue_id, i_queue_name, _queue.queue_per_tx_limit, 1);
    end if;
    execute pg_catalog.concat('insert into ', pgq.quote_fqname(_queue.event_table),
        ' (ev_id, ev_time, ev_owner, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)',
        ' values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)')
    using i_id, i_time, i_owner, i_retry, i_type, i_data, i_extra1, i_extra2, i_extra3, i_extra4;
    if pg_catalog.current_setting('transaction_isolation') operator(pg_catalog.<>) 'read committed' then
        perform pgq._check_rotation(_queue.queue_id);
    end if;
    return i_id;
end;
$$;
