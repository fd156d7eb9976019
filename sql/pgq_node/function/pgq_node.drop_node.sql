-- Removes a node: the local one with its queue, state and londiste registrations, or the trace of another member.
-- A database that has no node for the queue counts as local, so that half-removed nodes can be finished.
--
-- Returns:
--   200 - removed, also for names that nobody knows
--   405 - the local worker still reads from that node
-- Locks: the positions of all consumers, the node_info row
-- Calls: pgq_node._lock_positions, pgq.drop_queue, pgq_node.unregister_subscriber, pgq_node.unregister_location,
--   londiste.drop_table_triggers where londiste is installed
-- Execute: pgq_admin
create or replace function pgq_node.drop_node(
    in i_queue_name text,
    in i_node_name text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _node record;
    _is_cascaded boolean;
begin
    select n.node_name, n.node_type, s.provider_node into _node
        from pgq_node.node_info n
        left join pgq_node.local_state s
            on (s.queue_name = n.queue_name and s.consumer_name = n.worker_name)
        where n.queue_name = i_queue_name;

    if not found or _node.node_name = i_node_name then
        perform pgq_node._lock_positions(i_queue_name, null);
        perform 1 from pgq_node.node_info n where n.queue_name = i_queue_name for update;
        -- foreign key cascades do not run under session_replication_role = replica
        if to_regclass('londiste.table_info') is not null then
            execute 'select londiste.drop_table_triggers(t.queue_name, t.table_name)'
                ' from londiste.table_info t where t.queue_name = $1 and t.local' using i_queue_name;
            execute 'delete from londiste.table_info t where t.queue_name = $1' using i_queue_name;
            execute 'delete from londiste.seq_info s where s.queue_name = $1' using i_queue_name;
        end if;
        if to_regclass('londiste.copy_progress') is not null then
            execute 'delete from londiste.copy_progress p where p.queue_name = $1' using i_queue_name;
        end if;

        delete from pgq_node.subscriber_info i where i.queue_name = i_queue_name;
        delete from pgq_node.local_state s where s.queue_name = i_queue_name;
        delete from pgq_node.node_info n
            where n.queue_name = i_queue_name and n.node_name = i_node_name;

        -- a plain queue that only shares the name is not ours to drop
        _is_cascaded := _node.node_type in ('root', 'branch')
            or exists (select 1 from pgq.get_consumer_info(i_queue_name, '.global_watermark'));
        if _is_cascaded and exists (select 1 from pgq.queue q where q.queue_name = i_queue_name) then
            perform pgq.drop_queue(i_queue_name, true);
        end if;

        delete from pgq_node.node_location l
            where l.queue_name = i_queue_name and l.node_name <> i_node_name;
    elsif _node.provider_node = i_node_name then
        select 405, 'Cannot drop provider node: ' || i_node_name into ret_code, ret_note;
        return;
    else
        perform pgq_node.unregister_subscriber(i_queue_name, i_node_name);
    end if;

    perform pgq_node.unregister_location(i_queue_name, i_node_name);

    select 200, 'Node dropped: ' || i_node_name into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
