-- pgq.event_failed for many events of an open batch, which is read once whatever their number: gives event
-- x_event_ids[n] up for the reason x_reasons[n]. Returns how many of them were not among the failed events already.
-- Errors: batch not found; event not found; array_subscript_error for arrays of different length. All events or none.
-- Execute: pgq_reader
create or replace function pgq.fail_events(x_batch_id bigint, x_event_ids bigint[], x_reasons text[])
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _sub record;
    _found integer;
    _count integer;
begin
    select s.sub_id, s.sub_queue into _sub from pgq.subscription s where s.sub_batch = x_batch_id;
    if not found then
        raise exception 'batch not found';
    end if;
    if cardinality(x_event_ids) is distinct from cardinality(x_reasons) then
        raise exception 'arrays of events must have the same length' using errcode = 'array_subscript_error';
    end if;
    execute format(
        'with wanted as ('
        '  select distinct on (id) id, reason from unnest($1, $2) with ordinality w (id, reason, nr) order by id, nr desc'
        '), chosen as materialized ('
        '  select e.*, w.reason from (%s) e join wanted w on w.id = e.ev_id'
        '), failed as ('
        '  insert into pgq.failed_queue (ev_failed_reason, ev_failed_time, ev_queue, ev_id, ev_time, ev_txid, ev_owner,'
        '                                ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)'
        '  select reason, now(), $3, ev_id, ev_time, ev_txid, $4,'
        '         ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4'
        '    from chosen'
        '      on conflict (ev_owner, ev_id) do nothing returning 1'
        ') select (select count(*) from chosen) - (select count(*) from wanted), (select count(*) from failed)',
        pgq.batch_event_sql(x_batch_id))
       into _found, _count
      using x_event_ids, x_reasons, _sub.sub_queue, _sub.sub_id;
    if _found < 0 then
        raise exception 'event not found';
    end if;
    return _count;
end;
$$;
