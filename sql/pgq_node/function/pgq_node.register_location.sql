-- Stores where a node can be reached, or marks it dead or alive; a root announces it to the cascade.
--
-- Parameters:
--   i_node_location - libpq connect string; null keeps the stored one
--   i_dead          - true for a node that must not be contacted
-- Returns: 200 always, also when an unknown node came without connect string and nothing was stored
-- Raises: not-null violation when i_dead is null
-- Calls: pgq.insert_event
-- Locks: the queue's node_info row, when there is one
-- Execute: pgq_admin
create or replace function pgq_node.register_location(
    in i_queue_name text,
    in i_node_name text,
    in i_node_location text,
    in i_dead boolean,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _node_type text;
begin
    select n.node_type into _node_type
        from pgq_node.node_info n
        where n.queue_name = i_queue_name
        for update;

    if i_node_location is null then
        update pgq_node.node_location l
            set dead = i_dead
            where l.queue_name = i_queue_name and l.node_name = i_node_name;
    else
        insert into pgq_node.node_location as l (queue_name, node_name, node_location, dead)
            values (i_queue_name, i_node_name, i_node_location, i_dead)
            on conflict (queue_name, node_name) do update
            set node_location = excluded.node_location, dead = excluded.dead;
    end if;

    if _node_type = 'root' then
        perform pgq.insert_event(i_queue_name, 'pgq.location-info',
            i_node_name, i_queue_name, i_node_location, i_dead::text, null);
    end if;

    select 200, 'Location registered' into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
