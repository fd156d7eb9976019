-- Adds many events to a queue in one call and returns their ids in the order of the arrays.
-- i_types and i_data are required and have the same length; an array of extras is NULL or as long as they are.
-- Errors as pgq.insert_event, and array_subscript_error for lengths that differ. All events or none are added.
-- Execute: pgq_writer
create or replace function pgq.insert_events(i_queue_name text, i_types text[], i_data text[],
    i_extra1 text[] default null, i_extra2 text[] default null,
    i_extra3 text[] default null, i_extra4 text[] default null)
returns setof bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _txid bigint := txid_current();
    _count integer := cardinality(i_types);
    _queue record;
begin
    select q.queue_id, q.queue_disable_insert, q.queue_per_tx_limit,
           pgq.quote_fqname(q.queue_data_pfx || '_' || q.queue_cur_table) as event_table
      into _queue
      from pgq.queue q
     where q.queue_name = i_queue_name;
    if not found then
        if i_queue_name is null then
            raise exception 'Queue name must not be NULL';
        end if;
        raise exception 'No such queue';
    end if;
    if _queue.queue_disable_insert and current_setting('session_replication_role') <> 'replica' then
        raise exception 'Insert into queue disallowed';
    end if;
    if _count is null or cardinality(i_data) is distinct from _count
       or cardinality(i_extra1) <> _count or cardinality(i_extra2) <> _count
       or cardinality(i_extra3) <> _count or cardinality(i_extra4) <> _count
    then
        raise exception 'arrays of events must have the same length' using errcode = 'array_subscript_error';
    end if;
    if _queue.queue_per_tx_limit >= 0 then
        perform pgq._check_tx_limit(_queue.queue_id, i_queue_name, _queue.queue_per_tx_limit, _count);
    end if;
    return query execute format(
        'insert into %s (ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4) '
        'select now(), e.* from unnest($1, $2, $3, $4, $5, $6) e returning ev_id', _queue.event_table)
        using i_types, i_data, i_extra1, i_extra2, i_extra3, i_extra4;
    if current_setting('transaction_isolation') <> 'read committed' then
        perform pgq._check_rotation(_queue.queue_id);
    end if;
end;
$$;
