-- Takes one event out of an open batch: whoever reads the batch from now on does not get it. Other consumers do, and
-- the event stays in the queue. Returns 1, or 0 when it is out already. Errors: event not found.
-- Execute: pgq_reader
create or replace function pgq.del_event(x_batch_id bigint, x_event_id bigint)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from pgq.hidden_event h where h.batch_id = x_batch_id and h.ev_id = x_event_id) then
        return 0;
    end if;
    perform from pgq._batch_event(x_batch_id, x_event_id);
    insert into pgq.hidden_event (batch_id, ev_id) values (x_batch_id, x_event_id) on conflict do nothing;
    return 1;
end;
$$;
