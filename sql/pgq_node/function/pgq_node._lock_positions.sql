-- Locks the positions of a node's consumers until the transaction ends. Whoever locks the node_info row and changes a position
-- in one transaction calls this first: a worker locks its position before it replays events that lock the node_info row, and the
-- other order ends in a deadlock with it.
--
-- Parameters:
--   i_queue_name    - queue; an unknown one has no positions
--   i_consumer_name - the only one to lock; null for all, of which the node's worker comes first, as in a copy that hands its
--                     table over
-- Locks: local_state rows
-- Execute: pgq_admin
create or replace function pgq_node._lock_positions(i_queue_name text, i_consumer_name text)
returns void as $$
begin
    if i_consumer_name is not null then
        perform 1 from pgq_node.local_state s
            where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name
            for update;
        return;
    end if;
    perform 1 from pgq_node.local_state s
        where s.queue_name = i_queue_name
        order by s.consumer_name <> (
            select n.worker_name from pgq_node.node_info n where n.queue_name = i_queue_name), s.consumer_name
        for update;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
