-- Asks a cascaded consumer to pause or to go on; a change has to be acknowledged by it.
--
-- Returns:
--   200 - tagged
--   201 - was so already
--   404 - no such consumer
-- Raises: not-null violation when i_paused is null
-- Locks: the local_state row
-- Execute: pgq_writer, pgq_admin
create or replace function pgq_node.set_consumer_paused(
    in i_queue_name text,
    in i_consumer_name text,
    in i_paused boolean,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _was_paused boolean;
    _word text := case when i_paused then 'paused' else 'resumed' end;
begin
    select s.paused into _was_paused
        from pgq_node.local_state s
        where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name
        for update;
    if not found then
        select 404, 'Unknown consumer: ' || i_consumer_name into ret_code, ret_note;
        return;
    end if;
    if _was_paused = i_paused then
        select 201, 'Consumer ' || i_consumer_name || ' already ' || _word into ret_code, ret_note;
        return;
    end if;

    update pgq_node.local_state s
        set paused = i_paused, uptodate = false
        where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name;
    select 200, 'Consumer ' || i_consumer_name || ' tagged as ' || _word into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
