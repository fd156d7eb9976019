-- Second step of renaming a node, on every member once all have done the first: the new name replaces the old one, which is
-- forgotten. May be repeated.
--
-- Returns:
--   200 - renamed
--   201 - the old name was not known any more
--   404 - no such node here, or the first step was not done
-- Locks: the positions of all consumers, the node_info row
-- Calls: pgq_node._lock_positions, pgq.unregister_consumer, pgq_node.unregister_location
-- Execute: pgq_admin
create or replace function pgq_node.rename_node_step2(
    in i_queue_name text,
    in i_node_name text,
    in i_new_name text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _watermark_name text;
begin
    perform pgq_node._lock_positions(i_queue_name, null);
    perform 1 from pgq_node.node_info n where n.queue_name = i_queue_name for update;
    if not found then
        select 404, 'Unknown queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;
    perform 1 from pgq_node.node_location l
        where l.queue_name = i_queue_name and l.node_name = i_new_name;
    if not found then
        select 404, 'Location not found: ' || i_queue_name || '/' || i_new_name into ret_code, ret_note;
        return;
    end if;
    perform 1 from pgq_node.node_location l
        where l.queue_name = i_queue_name and l.node_name = i_node_name;
    if not found then
        select 201, 'Node was renamed already: ' || i_new_name into ret_code, ret_note;
        return;
    end if;

    update pgq_node.node_info n
        set node_name = i_new_name
        where n.queue_name = i_queue_name and n.node_name = i_node_name;
    update pgq_node.local_state s
        set provider_node = i_new_name
        where s.queue_name = i_queue_name and s.provider_node = i_node_name;

    -- the worker belongs to the new name by now, only the watermark goes
    delete from pgq_node.subscriber_info i
        where i.queue_name = i_queue_name and i.subscriber_node = i_node_name
        returning i.watermark_name into _watermark_name;
    if found then
        perform pgq.unregister_consumer(i_queue_name, _watermark_name);
    end if;
    perform pgq_node.unregister_location(i_queue_name, i_node_name);

    select 200, 'Node ' || i_node_name || ' is called ' || i_new_name into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
