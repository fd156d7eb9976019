-- Stores the tick up to which a cascaded consumer has applied everything, with the time that the provider gives for it, and
-- clears the consumer's error. Belongs into the transaction that applies the batch. The time tells the tick from another one
-- with the same id, as a provider makes it that was restored from an older state.
--
-- Returns: 100, or 404 for an unknown consumer
-- Execute: pgq_writer, pgq_admin
create or replace function pgq_node.set_consumer_completed_at(
    in i_queue_name text,
    in i_consumer_name text,
    in i_tick_id bigint,
    in i_tick_time timestamptz,
    out ret_code int4,
    out ret_note text)
returns record as $$
begin
    update pgq_node.local_state s
        set last_tick_id = i_tick_id, cur_error = null,
            known_tick_id = i_tick_id, known_tick_time = i_tick_time
        where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name;
    if not found then
        select 404, 'Consumer not known: ' || i_queue_name || '/' || i_consumer_name into ret_code, ret_note;
        return;
    end if;
    select 100, 'Consumer ' || i_consumer_name || ' completed tick = ' || i_tick_id into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
