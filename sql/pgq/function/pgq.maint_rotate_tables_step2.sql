-- Confirms the switches that step 1 has made: writers that may still use the old tables have lower transaction numbers
-- than this one. Also tidies up what needs no transaction of its own. Must be a later transaction than step 1. Always returns 0.
-- Locks: rows of queues, by their ids, whoever calls it at once; rows of hidden events, unless somebody else has them.
-- Execute: pgq_admin
create or replace function pgq.maint_rotate_tables_step2()
returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    -- One statement, since all that its snapshot shows was committed before the transaction got its number.
    with switched as materialized (
        select q.queue_id from pgq.queue q where q.queue_switch_step2 is null order by q.queue_id for no key update
    )
    update pgq.queue q
       set queue_switch_step2 = pg_catalog.txid_current()
      from switched s
     where q.queue_id = s.queue_id;
    with closed as materialized (
        select h.batch_id, h.ev_id
          from pgq.hidden_event h
         where not exists (select from pgq.subscription s where s.sub_batch = h.batch_id)
           for update of h skip locked
    )
    delete from pgq.hidden_event h using closed c where h.batch_id = c.batch_id and h.ev_id = c.ev_id;
    perform pgq._refresh_static_inserts();
    return 0;
end;
$$;
