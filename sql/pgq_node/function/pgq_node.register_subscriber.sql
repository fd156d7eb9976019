-- Registers another node as subscriber of the local one: its worker and its watermark become consumers here.
--
-- Parameters:
--   i_custom_tick_id - where the worker starts; null for the global watermark
-- Returns: global_watermark is filled on success only
--   200 - registered
--   401 - the local node is a leaf
--   404 - no such node
-- Raises: unique violation when already subscribed, foreign key violation when its location is unknown,
--   and pgq's error for a tick that is not here
-- Locks: the node_info row
-- Calls: pgq.register_consumer_at
-- Execute: pgq_reader, pgq_writer, pgq_admin
create or replace function pgq_node.register_subscriber(
    in i_queue_name text,
    in i_remote_node_name text,
    in i_remote_worker_name text,
    in i_custom_tick_id bigint,
    out ret_code int4,
    out ret_note text,
    out global_watermark bigint)
returns record as $$
declare
    _node_type text;
    _watermark_name text := '.' || i_remote_node_name || '.watermark';
    _watermark bigint;
begin
    select n.node_type into _node_type
        from pgq_node.node_info n
        where n.queue_name = i_queue_name
        for update;
    if not found then
        select 404, 'Unknown queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;
    if _node_type = 'leaf' then
        select 401, 'Cannot subscribe to leaf node' into ret_code, ret_note;
        return;
    end if;

    select f.last_tick into _watermark
        from pgq.get_consumer_info(i_queue_name, '.global_watermark') f;
    perform pgq.register_consumer_at(i_queue_name, _watermark_name, _watermark);
    perform pgq.register_consumer_at(i_queue_name, i_remote_worker_name,
        coalesce(i_custom_tick_id, _watermark));

    insert into pgq_node.subscriber_info (queue_name, subscriber_node, worker_name, watermark_name)
        values (i_queue_name, i_remote_node_name, i_remote_worker_name, _watermark_name);

    global_watermark := _watermark;
    select 200, 'Subscriber registered: ' || i_remote_node_name into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
