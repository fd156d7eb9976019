-- The last tick that the consumer has recorded, or NULL.
-- Execute: pgq_writer
create or replace function pgq_ext.get_last_tick(a_consumer text, a_subconsumer text)
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return (select t.last_tick_id
              from pgq_ext.completed_tick t
             where t.consumer_id = a_consumer and t.subconsumer_id = a_subconsumer);
end;
$$;

create or replace function pgq_ext.get_last_tick(a_consumer text)
returns bigint
language plpgsql as $$
begin
    return pgq_ext.get_last_tick(a_consumer, '');
end;
$$;
