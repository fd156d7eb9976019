-- Removes from a branch's queue what lies after a tick: events, whether in a batch already or not, and ticks. For a former root
-- that comes back and must hold only what its new root has.
--
-- Parameters:
--   i_tick_id - the last tick that stays
-- Returns:
--   200 - removed; deleted_events and deleted_ticks say how many
--   301 - the node is not a branch
--   404 - no such node, or the queue does not hold that tick
-- Locks: the node_info row; the queue's event tables against writers
-- Execute: pgq_admin
create or replace function pgq_node.delete_events_after(
    in i_queue_name text,
    in i_tick_id bigint,
    out ret_code int4,
    out ret_note text,
    out deleted_events bigint,
    out deleted_ticks bigint)
returns record as $$
declare
    _node_type text;
    _queue record;
begin
    select n.node_type into _node_type
        from pgq_node.node_info n
        where n.queue_name = i_queue_name
        for update;
    if not found then
        select 404, 'Node not initialized for queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;
    if _node_type <> 'branch' then
        select 301, 'Node not branch' into ret_code, ret_note;
        return;
    end if;

    select q.queue_id, q.queue_data_pfx, t.tick_snapshot::text::pg_snapshot as tick_snapshot into _queue
        from pgq.queue q
        join pgq.tick t on (t.tick_queue = q.queue_id and t.tick_id = i_tick_id)
        where q.queue_name = i_queue_name;
    if not found then
        select 404, 'Tick not found: ' || i_queue_name || '/' || i_tick_id into ret_code, ret_note;
        return;
    end if;

    execute format('lock table %s in exclusive mode', pgq.quote_fqname(_queue.queue_data_pfx));
    -- the lower bound is for the index; transactions below it are all in the snapshot
    execute format('delete from %s where ev_txid >= $1 and not pg_visible_in_snapshot(ev_txid::text::xid8, $2)',
            pgq.quote_fqname(_queue.queue_data_pfx))
        using pg_snapshot_xmin(_queue.tick_snapshot)::text::bigint, _queue.tick_snapshot;
    get diagnostics deleted_events = row_count;
    delete from pgq.tick t where t.tick_queue = _queue.queue_id and t.tick_id > i_tick_id;
    get diagnostics deleted_ticks = row_count;
    select 200, 'Removed ' || deleted_events || ' events and ' || deleted_ticks || ' ticks after tick ' || i_tick_id
        into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
