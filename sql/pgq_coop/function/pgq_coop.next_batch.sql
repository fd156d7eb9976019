-- Gives a subconsumer its open batch again, or the group's next one; NULL when there is none.
-- Errors as pgq_coop.next_batch_custom.
-- Execute: pgq_reader
create or replace function pgq_coop.next_batch(i_queue_name text, i_consumer_name text, i_subconsumer_name text)
returns bigint
language plpgsql as $$
begin
    return pgq_coop.next_batch_custom(i_queue_name, i_consumer_name, i_subconsumer_name, null, null, null, null);
end;
$$;

-- The same; first takes over the batch of a member that has shown no sign of life for i_dead_interval.
create or replace function pgq_coop.next_batch(i_queue_name text, i_consumer_name text, i_subconsumer_name text,
    i_dead_interval interval)
returns bigint
language plpgsql as $$
begin
    return pgq_coop.next_batch_custom(i_queue_name, i_consumer_name, i_subconsumer_name,
                                      null, null, null, i_dead_interval);
end;
$$;
