-- Publishes (root) or stores (branch) the lowest tick that is needed anywhere in the cascade.
--
-- Parameters:
--   i_watermark - tick id; null on a root for its own local watermark
-- Returns:
--   100 - leaf, nothing to do
--   200 - moved, or skipped because a branch does not have that tick
--   404 - no such node
--   500 - null on a branch
-- Raises: pgq's error when the queue does not take events (between demotion steps)
-- Locks: the position of a root's worker, the node_info row
-- Calls: pgq_node._lock_positions, pgq_node.get_node_info, pgq.register_consumer_at, pgq.insert_event
-- Execute: pgq_admin
create or replace function pgq_node.set_global_watermark(
    in i_queue_name text,
    in i_watermark bigint,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _node_type text;
    _worker_name text;
    _watermark bigint := i_watermark;
begin
    perform pgq_node._lock_positions(n.queue_name, n.worker_name)
        from pgq_node.node_info n
        where n.queue_name = i_queue_name and n.node_type = 'root';
    select n.node_type, n.worker_name into _node_type, _worker_name
        from pgq_node.node_info n
        where n.queue_name = i_queue_name
        for update;
    if not found then
        select 404, 'Queue' || i_queue_name || ' not found' into ret_code, ret_note;
        return;
    end if;

    if _node_type = 'leaf' then
        select 100, 'Ignoring global watermark in leaf' into ret_code, ret_note;
        return;
    end if;

    if _node_type = 'root' then
        if _watermark is null then
            select f.ret_code, f.ret_note, f.local_watermark
                into ret_code, ret_note, _watermark
                from pgq_node.get_node_info(i_queue_name) f;
            if ret_code >= 300 then
                return;
            end if;
            if _watermark is null then
                raise exception 'local_watermark=NULL from get_node_info()?';
            end if;
        end if;

        perform pgq.register_consumer_at(i_queue_name, '.global_watermark', _watermark);
        perform pgq.insert_event(i_queue_name, 'pgq.global-watermark',
            _watermark::text, i_queue_name, null, null, null);
        update pgq_node.local_state s
            set last_tick_id = _watermark
            where s.queue_name = i_queue_name and s.consumer_name = _worker_name;
    else
        if _watermark is null then
            select 500, 'bad usage: wm=null on branch node' into ret_code, ret_note;
            return;
        end if;
        -- an old batch may be replayed after its ticks are gone
        perform 1 from pgq.queue q, pgq.tick t
            where q.queue_name = i_queue_name and t.tick_queue = q.queue_id and t.tick_id = _watermark;
        if not found then
            select 200, 'Skipping global watermark update to ' || _watermark into ret_code, ret_note;
            return;
        end if;
        perform pgq.register_consumer_at(i_queue_name, '.global_watermark', _watermark);
    end if;

    select 200, 'Global watermark set to ' || _watermark into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
