-- pgq.event_retry for many events of an open batch, which is read once whatever their number: parks event
-- x_event_ids[n] for x_retry_seconds[n] (NULL: the queue's retry_delay, doubled for each earlier retry). Events at the
-- queue's retry_limit go to the failed events instead. Returns how many were parked or failed that were not already.
-- Errors: batch not found; event not found; array_subscript_error for arrays of different length. All events or none.
-- Execute: pgq_reader
create or replace function pgq.retry_events(x_batch_id bigint, x_event_ids bigint[], x_retry_seconds integer[])
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _sub record;
    _found integer;
    _count integer;
begin
    select s.sub_id, s.sub_queue, q.queue_retry_limit, q.queue_retry_delay
      into _sub
      from pgq.subscription s
      join pgq.queue q on q.queue_id = s.sub_queue
     where s.sub_batch = x_batch_id;
    if not found then
        raise exception 'batch not found';
    end if;
    if cardinality(x_event_ids) is distinct from cardinality(x_retry_seconds) then
        raise exception 'arrays of events must have the same length' using errcode = 'array_subscript_error';
    end if;
    execute format(
        'with wanted as ('
        '  select distinct on (id) id, seconds from unnest($1, $2) with ordinality w (id, seconds, nr) order by id, nr desc'
        '), chosen as materialized ('
        '  select e.*, coalesce(e.ev_retry, 0) as tries, w.seconds from (%s) e join wanted w on w.id = e.ev_id'
        '), parked as ('
        '  insert into pgq.retry_queue (ev_retry_after, ev_queue, ev_id, ev_time, ev_owner, ev_retry,'
        '                               ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)'
        '  select now() + coalesce(make_interval(secs => seconds),'
        '                          least($6 * 2.0 ^ least(tries, 30), interval ''1 day'')),'
        '         $3, ev_id, ev_time, $4, tries + 1, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4'
        '    from chosen where $5 is null or tries < $5'
        '      on conflict (ev_owner, ev_id) do nothing returning 1'
        '), failed as ('
        '  insert into pgq.failed_queue (ev_failed_reason, ev_failed_time, ev_queue, ev_id, ev_time, ev_txid, ev_owner,'
        '                                ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)'
        '  select format(''retry limit of %%s reached'', $5), now(), $3, ev_id, ev_time, ev_txid, $4,'
        '         ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4'
        '    from chosen where tries >= $5'
        '      on conflict (ev_owner, ev_id) do nothing returning 1'
        ') select (select count(*) from chosen) - (select count(*) from wanted),'
        '         (select count(*) from parked) + (select count(*) from failed)', pgq.batch_event_sql(x_batch_id))
       into _found, _count
      using x_event_ids, x_retry_seconds, _sub.sub_queue, _sub.sub_id, _sub.queue_retry_limit, _sub.queue_retry_delay;
    if _found < 0 then
        raise exception 'event not found';
    end if;
    return _count;
end;
$$;
