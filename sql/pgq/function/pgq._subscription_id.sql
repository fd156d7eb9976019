-- The id under which a consumer owns events. Errors: consumer not registered.
-- Execute: none
create or replace function pgq._subscription_id(i_queue_name text, i_consumer_name text)
returns integer
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    _id integer;
begin
    select s.sub_id
      into _id
      from pgq.subscription s
      join pgq.queue q on q.queue_id = s.sub_queue
      join pgq.consumer c on c.co_id = s.sub_consumer
     where q.queue_name = i_queue_name and c.co_name = i_consumer_name;
    if not found then
        raise exception 'consumer not registered';
    end if;
    return _id;
end;
$$;
