-- Registers a cascaded consumer in this database; for a known one, moves it to another provider and position.
--
-- Returns:
--   200 - registered
--   201 - was registered: provider and position are overwritten, flags and error stay
--   404 - no such node
-- Raises: foreign key violation for an unknown provider
-- Locks: the consumer's position, the node_info row
-- Calls: pgq_node._lock_positions
-- Execute: pgq_writer, pgq_admin
create or replace function pgq_node.register_consumer(
    in i_queue_name text,
    in i_consumer_name text,
    in i_provider_node text,
    in i_custom_tick_id bigint,
    out ret_code int4,
    out ret_note text)
returns record as $$
begin
    perform pgq_node._lock_positions(i_queue_name, i_consumer_name);
    perform 1 from pgq_node.node_info n
        where n.queue_name = i_queue_name
        for update;
    if not found then
        select 404, 'Unknown queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;

    update pgq_node.local_state s
        set provider_node = i_provider_node, last_tick_id = i_custom_tick_id
        where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name;
    if found then
        select 201, 'Consumer already registered: ' || i_queue_name || '/' || i_consumer_name
            into ret_code, ret_note;
        return;
    end if;

    insert into pgq_node.local_state (queue_name, consumer_name, provider_node, last_tick_id)
        values (i_queue_name, i_consumer_name, i_provider_node, i_custom_tick_id);
    select 200, 'Consumer ' || i_consumer_name || ' registered on queue ' || i_queue_name
        into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
