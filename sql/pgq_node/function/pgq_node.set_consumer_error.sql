-- Stores the last error of a cascaded consumer for the status displays.
--
-- Parameters:
--   i_error_msg - null clears it
-- Returns: 100 (without note when clearing), or 101 for an unknown consumer
-- Execute: pgq_writer, pgq_admin
create or replace function pgq_node.set_consumer_error(
    in i_queue_name text,
    in i_consumer_name text,
    in i_error_msg text,
    out ret_code int4,
    out ret_note text)
returns record as $$
begin
    update pgq_node.local_state s
        set cur_error = i_error_msg
        where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name;
    if not found then
        select 101, 'Consumer not known, ignoring: ' || i_queue_name || '/' || i_consumer_name
            into ret_code, ret_note;
        return;
    end if;
    select 100, 'Consumer ' || i_consumer_name || ' error = ' || i_error_msg into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
