-- Describes the local node of a queue.
--
-- Returns: one row
--   ret_code         - 100, or 404 for an unknown queue with all else null
--   global_watermark - lowest tick needed anywhere in the cascade; null on a leaf
--   local_watermark  - lowest tick needed by this node and those below it: over all consumers of the local queue
--                      but .global_watermark, the newest tick when there are none; on a leaf the worker's position
--   combined_queue, combined_type - set when the combined queue has a node in this database
--   worker_last_tick - the worker's position; on a root the newest tick of the queue
--   target_for       - queues whose leaf here feeds this queue, in order of name; null when none
-- Execute: pgq_reader, pgq_writer, pgq_admin
create or replace function pgq_node.get_node_info(
    in i_queue_name text,
    out ret_code int4,
    out ret_note text,
    out node_type text,
    out node_name text,
    out global_watermark bigint,
    out local_watermark bigint,
    out provider_node text,
    out provider_location text,
    out combined_queue text,
    out combined_type text,
    out worker_name text,
    out worker_paused boolean,
    out worker_uptodate boolean,
    out worker_last_tick bigint,
    out node_attrs text,
    out target_for text[])
returns record as $$
declare
    _queue_id int4;
    _newest_tick bigint;
begin
    select 100, 'Ok', n.node_type, n.node_name, n.worker_name, n.node_attrs,
            c.node_type, c.queue_name, w.provider_node, l.node_location,
            w.paused, w.uptodate, w.last_tick_id
        into ret_code, ret_note, node_type, node_name, worker_name, node_attrs,
            combined_type, combined_queue, provider_node, provider_location,
            worker_paused, worker_uptodate, worker_last_tick
        from pgq_node.node_info n
        left join pgq_node.node_info c on (c.queue_name = n.combined_queue)
        left join pgq_node.local_state w
            on (w.queue_name = n.queue_name and w.consumer_name = n.worker_name)
        left join pgq_node.node_location l
            on (l.queue_name = w.queue_name and l.node_name = w.provider_node)
        where n.queue_name = i_queue_name;
    if not found then
        select 404, 'Unknown queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;

    if node_type = 'leaf' then
        local_watermark := worker_last_tick;
        return;
    end if;

    select q.queue_id into _queue_id from pgq.queue q where q.queue_name = i_queue_name;
    select t.tick_id into _newest_tick
        from pgq.tick t
        where t.tick_queue = _queue_id
        order by t.tick_queue desc, t.tick_id desc
        limit 1;

    select min(s.sub_last_tick) filter (where o.co_name = '.global_watermark'),
            coalesce(min(s.sub_last_tick) filter (where o.co_name <> '.global_watermark'), _newest_tick)
        into global_watermark, local_watermark
        from pgq.subscription s
        join pgq.consumer o on (o.co_id = s.sub_consumer)
        where s.sub_queue = _queue_id;

    if node_type = 'root' then
        worker_last_tick := _newest_tick;
    end if;

    select array_agg(n.queue_name order by n.queue_name) into target_for
        from pgq_node.node_info n
        where n.combined_queue = i_queue_name;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
