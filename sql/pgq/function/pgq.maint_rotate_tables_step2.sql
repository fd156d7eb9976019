-- Confirms the switches that step 1 has made: writers that may still use the old tables have lower transaction numbers
-- than this one. Also tidies up what needs no transaction of its own. Must be a later transaction than step 1. Always returns 0.
-- Execute: pgq_admin
create or replace function pgq.maint_rotate_tables_step2()
returns integer
language plpgsql as $$
begin
    update pgq.queue q set queue_switch_step2 = pg_catalog.txid_current() where q.queue_switch_step2 is null;
    delete from pgq.hidden_event h
     where not exists (select from pgq.subscription s where s.sub_batch = h.batch_id);
    perform pgq._refresh_static_inserts();
    return 0;
end;
$$;
