-- Replaces the attributes of the local node.
--
-- Parameters:
--   i_node_attrs - urlencoded dictionary, stored whole
-- Returns: 200, or 404 for an unknown queue
-- Execute: pgq_admin
create or replace function pgq_node.set_node_attrs(
    in i_queue_name text,
    in i_node_attrs text,
    out ret_code int4,
    out ret_note text)
returns record as $$
begin
    update pgq_node.node_info n
        set node_attrs = i_node_attrs
        where n.queue_name = i_queue_name;
    if not found then
        select 404, 'Node not found' into ret_code, ret_note;
        return;
    end if;
    select 200, 'Node attributes updated' into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
