-- Subscribes a consumer to a queue, from the newest tick on. Returns 1, or 0 when it is subscribed already.
-- Errors as pgq.register_consumer_at.
-- Execute: pgq_reader
create or replace function pgq.register_consumer(x_queue_name text, x_consumer_id text)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return pgq.register_consumer_at(x_queue_name, x_consumer_id, null);
end;
$$;
