-- Forgets a cascaded consumer of this database.
--
-- Returns: 200 also when there was none, 404 when there is no such node
-- Locks: the consumer's position, the node_info row
-- Calls: pgq_node._lock_positions
-- Execute: pgq_writer, pgq_admin
create or replace function pgq_node.unregister_consumer(
    in i_queue_name text,
    in i_consumer_name text,
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

    delete from pgq_node.local_state s
        where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name;
    select 200, 'Consumer ' || i_consumer_name || ' unregistered from ' || i_queue_name
        into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
