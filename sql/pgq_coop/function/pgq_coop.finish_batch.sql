-- Closes a subconsumer's batch; the group's position was moved when the batch was handed out.
-- Returns 1, or 0 with a warning for an unknown batch.
-- Execute: pgq_reader
create or replace function pgq_coop.finish_batch(i_batch_id bigint)
returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off as $$
begin
    update pgq.subscription s
       set sub_active = now(), sub_last_tick = null, sub_next_tick = null, sub_batch = null
     where s.sub_batch = i_batch_id;
    if not found then
        raise warning 'coop_finish_batch: batch % not found', i_batch_id;
        return 0;
    end if;
    return 1;
end;
$$;
