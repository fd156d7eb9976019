-- Parks every event of an open batch that is not parked for its consumer yet. Returns how many were parked.
-- Errors: batch_retry: batch not found.
-- Execute: pgq_reader
create or replace function pgq.batch_retry(i_batch_id bigint, i_retry_seconds integer)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _owner integer;
    _queue integer;
    _parked integer;
begin
    select s.sub_id, s.sub_queue into _owner, _queue from pgq.subscription s where s.sub_batch = i_batch_id;
    if not found then
        raise exception 'batch_retry: batch % not found', i_batch_id;
    end if;
    execute format(
        'insert into pgq.retry_queue (ev_retry_after, ev_queue, ev_id, ev_time, ev_owner, ev_retry, '
        'ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4) '
        'select now() + make_interval(secs => $1), $2, ev_id, ev_time, $3, coalesce(ev_retry, 0) + 1, '
        'ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4 from (%s) e '
        'on conflict (ev_owner, ev_id) do nothing', pgq.batch_event_sql(i_batch_id))
      using i_retry_seconds, _queue, _owner;
    get diagnostics _parked = row_count;
    return _parked;
end;
$$;
