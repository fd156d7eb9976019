-- Adds an event with given id, time, owner and retry count; NULL id and time are filled in. Returns the id.
-- The event sequence advances in every case: that is how the ticker notices events that come again.
-- Errors and locks as pgq.insert_event(7). Runs with the caller's rights.
-- Execute: pgq_admin
create or replace function pgq.insert_event_raw(queue_name text, ev_id bigint, ev_time timestamptz,
    ev_owner integer, ev_retry integer, ev_type text, ev_data text,
    ev_extra1 text, ev_extra2 text, ev_extra3 text, ev_extra4 text)
returns bigint
language plpgsql as $$
declare
    _txid bigint := pg_catalog.txid_current();
    _queue integer;
    _table integer;
    _disabled boolean;
    _limit integer;
    _prefix text;
    _id bigint;
    _time timestamptz := coalesce(ev_time, pg_catalog.now());
begin
    select q.queue_id, q.queue_cur_table, q.queue_disable_insert, q.queue_per_tx_limit, q.queue_data_pfx,
           pg_catalog.nextval(q.queue_event_seq::pg_catalog.regclass)
      into _queue, _table, _disabled, _limit, _prefix, _id
      from pgq.queue q
     where q.queue_name operator(pg_catalog.=) insert_event_raw.queue_name;
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
    _id := coalesce(ev_id, _id);
    if not pgq._write_event(_queue, _table, _id, _time, ev_owner, ev_retry,
                            ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)
    then
        perform pgq._write_event_dynamic(_prefix, _table, _id, _time, ev_owner, ev_retry,
                                         ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4);
    end if;
    if pg_catalog.current_setting('transaction_isolation') operator(pg_catalog.<>) 'read committed' then
        perform pgq._check_rotation(_queue);
    end if;
    return _id;
end;
$$;
