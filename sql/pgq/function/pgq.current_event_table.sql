-- The table into which events of a queue go now, unquoted. Valid until the end of the transaction, which gets its number
-- here, for the reason given at pgq.insert_event. Direct writers need INSERT on the table and must supply ev_time.
-- Errors: Event queue not found; Writing to queue disabled; serialization_failure as pgq.insert_event.
-- Execute: pgq_writer
create or replace function pgq.current_event_table(x_queue_name text)
returns text
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    _txid bigint := pg_catalog.txid_current();
    _queue record;
begin
    select q.queue_id, q.queue_disable_insert, q.queue_data_pfx || '_' || q.queue_cur_table as event_table
      into _queue
      from pgq.queue q
     where q.queue_name = x_queue_name;
    if not found then
        raise exception 'Event queue not found';
    end if;
    if _queue.queue_disable_insert and pg_catalog.current_setting('session_replication_role') <> 'replica' then
        raise exception 'Writing to queue disabled';
    end if;
    if pg_catalog.current_setting('transaction_isolation') <> 'read committed' then
        perform pgq._check_rotation(_queue.queue_id);
    end if;
    return _queue.event_table;
end;
$$;
