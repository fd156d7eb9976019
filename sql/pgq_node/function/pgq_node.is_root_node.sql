-- Whether the local node of a queue is a root.
--
-- Raises: queue does not exist
-- Execute: public
create or replace function pgq_node.is_root_node(i_queue_name text)
returns boolean as $$
declare
    _is_root boolean;
begin
    select n.node_type = 'root' into _is_root
        from pgq_node.node_info n
        where n.queue_name = i_queue_name;
    if not found then
        raise exception 'queue does not exist: %', i_queue_name;
    end if;
    return _is_root;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
