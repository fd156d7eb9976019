-- Number of failed events of a consumer. Errors: consumer not registered.
-- Execute: pgq_reader
create or replace function pgq.failed_event_count(x_queue_name text, x_consumer_name text)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return (select count(*) from pgq.failed_queue f
             where f.ev_owner = pgq._subscription_id(x_queue_name, x_consumer_name));
end;
$$;
