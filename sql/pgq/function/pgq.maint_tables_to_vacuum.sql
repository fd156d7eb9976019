-- The bookkeeping tables that maintenance has to vacuum: none while the server's autovacuum is on.
-- Execute: pgq_admin
create or replace function pgq.maint_tables_to_vacuum()
returns setof text
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if pg_catalog.current_setting('autovacuum') = 'on' then
        return;
    end if;
    return query
        select t.name
          from pg_catalog.unnest('{pgq.subscription, pgq.consumer, pgq.queue, pgq.tick, pgq.retry_queue,
                   pgq_ext.completed_tick, pgq_ext.completed_batch, pgq_ext.completed_event, pgq_ext.partial_batch,
                   pgq_node.local_state, londiste.seq_info, txid.epoch, londiste.completed,
                   pgq.failed_queue}'::text[])
               with ordinality t (name, number)
         where pg_catalog.to_regclass(t.name) is not null
         order by t.number;
end;
$$;
