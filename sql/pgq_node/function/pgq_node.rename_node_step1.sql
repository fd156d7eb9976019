-- First step of renaming a node, on every member: the new name appears beside the old one, so that whoever uses either is
-- understood. May be repeated.
--
-- Returns:
--   200 - the new name is known here
--   403 - that name belongs to another node
--   404 - no such node here, or the old name is not known
-- Locks: the node_info row
-- Calls: pgq.register_consumer_at, pgq_node.register_location
-- Execute: pgq_admin
create or replace function pgq_node.rename_node_step1(
    in i_queue_name text,
    in i_node_name text,
    in i_new_name text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _old record;
    _new_location text;
    _watermark_name text := '.' || i_new_name || '.watermark';
    _subscriber record;
begin
    perform 1 from pgq_node.node_info n where n.queue_name = i_queue_name for update;
    if not found then
        select 404, 'Unknown queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;
    select l.node_location, l.dead into _old
        from pgq_node.node_location l
        where l.queue_name = i_queue_name and l.node_name = i_node_name;
    if not found then
        select 404, 'Location not found: ' || i_queue_name || '/' || i_node_name into ret_code, ret_note;
        return;
    end if;

    select l.node_location into _new_location
        from pgq_node.node_location l
        where l.queue_name = i_queue_name and l.node_name = i_new_name;
    if not found then
        perform pgq_node.register_location(i_queue_name, i_new_name, _old.node_location, _old.dead);
    elsif _new_location <> _old.node_location then
        select 403, 'Name belongs to another node: ' || i_new_name into ret_code, ret_note;
        return;
    end if;

    select i.worker_name, s.sub_last_tick into _subscriber
        from pgq_node.subscriber_info i
        join pgq.queue q on (q.queue_name = i.queue_name)
        join pgq.consumer c on (c.co_name = i.watermark_name)
        join pgq.subscription s on (s.sub_queue = q.queue_id and s.sub_consumer = c.co_id)
        where i.queue_name = i_queue_name and i.subscriber_node = i_node_name;
    if found then
        perform pgq.register_consumer_at(i_queue_name, _watermark_name, _subscriber.sub_last_tick);
        insert into pgq_node.subscriber_info (queue_name, subscriber_node, worker_name, watermark_name)
            values (i_queue_name, i_new_name, _subscriber.worker_name, _watermark_name)
            on conflict do nothing;
    end if;

    select 200, 'Node ' || i_node_name || ' is known as ' || i_new_name || ' too' into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
