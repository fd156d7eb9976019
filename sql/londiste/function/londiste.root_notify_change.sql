-- Sends an event to the nodes of a set.
--
-- Returns: 1
-- Raises: only root node can send events; queue does not exist
-- Calls: pgq_node.is_root_node, pgq.insert_event
-- Execute: londiste_writer
create or replace function londiste.root_notify_change(i_queue_name text, i_ev_type text, i_ev_data text)
returns int4 as $$
begin
    if not pgq_node.is_root_node(i_queue_name) then
        raise exception 'only root node can send events';
    end if;
    perform pgq.insert_event(i_queue_name, i_ev_type, i_ev_data);
    return 1;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
