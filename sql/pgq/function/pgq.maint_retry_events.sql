-- Moves at most ten parked events whose time has come back into their queues, where only their owner gets them.
-- Returns how many were moved: repeat until 0. Events of a queue that takes no inserts stay parked and do not hold up
-- the others; a queue with a limit for each transaction gets no more than that in one call.
-- Locks: pgq.retry_queue SHARE UPDATE EXCLUSIVE, one mover at a time. Rows that somebody else has are left for the next call:
-- who unregisters a consumer removes its events in whatever order.
-- Execute: pgq_admin
create or replace function pgq.maint_retry_events()
returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    _event record;
    _seen jsonb := '{}';
    _count integer;
    _moved integer := 0;
begin
    lock table pgq.retry_queue in share update exclusive mode;
    for _event in
        select q.queue_name, q.queue_per_tx_limit, r.*
          from pgq.retry_queue r
          join pgq.queue q on q.queue_id = r.ev_queue
         where r.ev_retry_after <= pg_catalog.now()
           and (not q.queue_disable_insert or pg_catalog.current_setting('session_replication_role') = 'replica')
           and q.queue_per_tx_limit is distinct from 0
         order by r.ev_retry_after
         limit 10
           for update of r skip locked
    loop
        _count := coalesce((_seen ->> _event.queue_name)::integer, 0) + 1;
        continue when _event.queue_per_tx_limit between 0 and _count - 1;
        _seen := _seen || pg_catalog.jsonb_build_object(_event.queue_name, _count);
        perform pgq.insert_event_raw(_event.queue_name, _event.ev_id, _event.ev_time, _event.ev_owner, _event.ev_retry,
                                     _event.ev_type, _event.ev_data, _event.ev_extra1, _event.ev_extra2,
                                     _event.ev_extra3, _event.ev_extra4);
        delete from pgq.retry_queue r where r.ev_owner = _event.ev_owner and r.ev_id = _event.ev_id;
        _moved := _moved + 1;
    end loop;
    return _moved;
end;
$$;
