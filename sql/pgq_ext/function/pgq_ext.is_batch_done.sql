-- Is this the last batch that the consumer has recorded? Only the last one is known; NULL for a NULL id.
-- Execute: pgq_writer
create or replace function pgq_ext.is_batch_done(a_consumer text, a_subconsumer text, a_batch_id bigint)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _done boolean;
begin
    select b.last_batch_id = a_batch_id
      into _done
      from pgq_ext.completed_batch b
     where b.consumer_id = a_consumer and b.subconsumer_id = a_subconsumer;
    if not found then
        return false;
    end if;
    return _done;
end;
$$;

create or replace function pgq_ext.is_batch_done(a_consumer text, a_batch_id bigint)
returns boolean
language plpgsql as $$
begin
    return pgq_ext.is_batch_done(a_consumer, '', a_batch_id);
end;
$$;
