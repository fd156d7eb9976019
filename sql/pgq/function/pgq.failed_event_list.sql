-- The failed events of a consumer by id, at most x_count of them after the first x_offset (NULL: all, from the first).
-- Errors: consumer not registered.
-- Execute: pgq_reader
create or replace function pgq.failed_event_list(x_queue_name text, x_consumer_name text, x_count integer, x_offset integer)
returns setof pgq.failed_queue
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return query
        select f.*
          from pgq.failed_queue f
         where f.ev_owner = pgq._subscription_id(x_queue_name, x_consumer_name)
         order by f.ev_id
         limit x_count offset x_offset;
end;
$$;

-- All failed events of a consumer.
create or replace function pgq.failed_event_list(x_queue_name text, x_consumer_name text)
returns setof pgq.failed_queue
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return query select * from pgq.failed_event_list(x_queue_name, x_consumer_name, null, null);
end;
$$;
