-- Opens the next batch of a consumer and returns its id, or NULL when no tick follows. Errors as pgq.next_batch_custom.
-- Execute: pgq_reader
create or replace function pgq.next_batch(i_queue_name text, i_consumer_name text)
returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    return (select b.batch_id from pgq.next_batch_custom(i_queue_name, i_consumer_name, null, null, null) b);
end;
$$;
