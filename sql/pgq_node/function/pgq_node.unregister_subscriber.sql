-- Removes a subscriber of the local node together with its two consumers.
--
-- Returns: 200, or 304 when there is no such subscriber
-- Locks: the node_info row
-- Calls: pgq.unregister_consumer
-- Execute: pgq_reader, pgq_writer, pgq_admin
create or replace function pgq_node.unregister_subscriber(
    in i_queue_name text,
    in i_remote_node_name text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _worker_name text;
    _watermark_name text;
begin
    perform 1 from pgq_node.node_info n where n.queue_name = i_queue_name for update;
    -- the row first: it has foreign keys to the names of both consumers
    delete from pgq_node.subscriber_info i
        where i.queue_name = i_queue_name and i.subscriber_node = i_remote_node_name
        returning i.worker_name, i.watermark_name into _worker_name, _watermark_name;
    if not found then
        select 304, 'Subscriber not found' into ret_code, ret_note;
        return;
    end if;

    perform pgq.unregister_consumer(i_queue_name, _watermark_name);
    perform pgq.unregister_consumer(i_queue_name, _worker_name);
    select 200, 'Subscriber unregistered: ' || i_remote_node_name into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
