-- Checks of a producer that only few queues or transactions need. Called by the functions that write events.

-- Counts i_count more events of this transaction for a queue and raises an error beyond its limit.
-- The counter is a setting local to the transaction; a rolled-back savepoint takes its events out of the count.
-- Execute: pgq_admin
create or replace function pgq._check_tx_limit(i_queue integer, i_queue_name text, i_limit integer, i_count bigint)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    _setting text := pg_catalog.concat('pgq.tx_count_', i_queue);
    _txid text := pg_catalog.txid_current();
    _old text := pg_catalog.current_setting(_setting, true);
    _count bigint := i_count;
begin
    -- The transaction's number makes a value invalid that somebody has set for the session.
    if pg_catalog.split_part(_old, ':', 1) operator(pg_catalog.=) _txid then
        _count := _count operator(pg_catalog.+) pg_catalog.split_part(_old, ':', 2)::bigint;
    end if;
    if _count operator(pg_catalog.>) i_limit then
        raise exception 'Queue ''%'' allows max % events from one TX', i_queue_name, i_limit;
    end if;
    perform pg_catalog.set_config(_setting, pg_catalog.concat(_txid, ':', _count), true);
end;
$$;

-- For transactions above READ COMMITTED: raises serialization_failure if the queue was rotated after the transaction's
-- snapshot. Such a transaction sees the old queue_cur_table, and what it writes there no batch would look for.
-- A rotation truncates the next table, which gives it a new file; a look-up through the catalog caches shows the newest
-- committed file, an ordinary query the one of the snapshot. The caches are brought up to date when a lock is taken: call
-- this after the event was written, so that the event table has been locked since this transaction has its number.
-- Execute: pgq_reader, pgq_writer
create or replace function pgq._check_rotation(i_queue integer)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    _name text;
begin
    select q.queue_name
      into _name
      from pgq.queue q
      join pg_catalog.pg_class c
        on c.oid operator(pg_catalog.=) pgq.quote_fqname(pg_catalog.concat(q.queue_data_pfx, '_',
               (q.queue_cur_table operator(pg_catalog.+) 1) operator(pg_catalog.%) q.queue_ntables))::pg_catalog.regclass
     where q.queue_id operator(pg_catalog.=) i_queue
       and c.relfilenode operator(pg_catalog.<>) pg_catalog.pg_relation_filenode(c.oid);
    if found then
        raise exception 'could not serialize access to queue "%": it was rotated after this transaction''s snapshot', _name
            using errcode = 'serialization_failure', hint = 'Repeat the transaction.';
    end if;
end;
$$;
