-- Forgets a failed event. Returns 1, or 0 when there is none. Errors: consumer not registered.
-- Execute: pgq_reader
create or replace function pgq.failed_event_delete(x_queue_name text, x_consumer_name text, x_event_id bigint)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _deleted integer;
begin
    delete from pgq.failed_queue f
     where f.ev_owner = pgq._subscription_id(x_queue_name, x_consumer_name) and f.ev_id = x_event_id;
    get diagnostics _deleted = row_count;
    return _deleted;
end;
$$;
