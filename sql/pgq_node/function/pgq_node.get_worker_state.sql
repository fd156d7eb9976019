-- Describes the local node as its worker sees it.
--
-- Returns: one row; a 404 keeps the columns that were found before
--   completed_tick  - the worker's stored position, on a root too
--   local_queue_top - newest tick of the local queue; null on a leaf
--   combined_queue  - as stored
-- Calls: pgq_node.get_node_info
-- Execute: pgq_admin
create or replace function pgq_node.get_worker_state(
    in i_queue_name text,
    out ret_code int4,
    out ret_note text,
    out node_type text,
    out node_name text,
    out completed_tick bigint,
    out provider_node text,
    out provider_location text,
    out paused boolean,
    out uptodate boolean,
    out cur_error text,
    out worker_name text,
    out global_watermark bigint,
    out local_watermark bigint,
    out local_queue_top bigint,
    out combined_queue text,
    out combined_type text)
returns record as $$
begin
    select n.node_type, n.node_name, n.worker_name, n.combined_queue
        into node_type, node_name, worker_name, combined_queue
        from pgq_node.node_info n
        where n.queue_name = i_queue_name;
    if not found then
        select 404, 'Unknown queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;

    select s.last_tick_id, s.provider_node, s.paused, s.uptodate, s.cur_error
        into completed_tick, provider_node, paused, uptodate, cur_error
        from pgq_node.local_state s
        where s.queue_name = i_queue_name and s.consumer_name = get_worker_state.worker_name;
    if not found then
        select 404, 'Unknown consumer: ' || i_queue_name || '/' || worker_name into ret_code, ret_note;
        return;
    end if;

    select l.node_location into provider_location
        from pgq_node.node_location l
        where l.queue_name = i_queue_name and l.node_name = get_worker_state.provider_node;
    if not found then
        select 404, 'Unknown provider node: ' || i_queue_name || '/' || provider_node into ret_code, ret_note;
        return;
    end if;

    if combined_queue is not null then
        select n.node_type into combined_type
            from pgq_node.node_info n
            where n.queue_name = get_worker_state.combined_queue;
        if not found then
            select 404, 'Combinde queue node not found: ' || combined_queue into ret_code, ret_note;
            return;
        end if;
    end if;

    select f.global_watermark, f.local_watermark
        into global_watermark, local_watermark
        from pgq_node.get_node_info(i_queue_name) f;
    if node_type in ('root', 'branch') then
        select max(t.tick_id) into local_queue_top
            from pgq.queue q, pgq.tick t
            where q.queue_name = i_queue_name and t.tick_queue = q.queue_id;
    end if;

    select 100, 'Ok' into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
