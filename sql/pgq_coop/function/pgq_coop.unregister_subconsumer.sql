-- Takes a subconsumer out of its group. i_batch_handling 1 also abandons its open batch: nobody gets those events again.
-- Returns 1, or 0 when it is not a member. Errors: subconsumer has active batch.
-- Execute: pgq_reader
create or replace function pgq_coop.unregister_subconsumer(i_queue_name text, i_consumer_name text,
    i_subconsumer_name text, i_batch_handling integer)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _sub record;
begin
    select s.sub_queue, s.sub_consumer, s.sub_batch
      into _sub
      from pgq.subscription s
      join pgq.queue q on q.queue_id = s.sub_queue
      join pgq.consumer c on c.co_id = s.sub_consumer
     where q.queue_name = i_queue_name and c.co_name = i_consumer_name || '.' || i_subconsumer_name
       for update of s;
    if not found then
        return 0;
    end if;
    if _sub.sub_batch is not null and i_batch_handling is distinct from 1 then
        raise exception 'subconsumer has active batch';
    end if;
    delete from pgq.subscription s where s.sub_queue = _sub.sub_queue and s.sub_consumer = _sub.sub_consumer;
    return 1;
end;
$$;
