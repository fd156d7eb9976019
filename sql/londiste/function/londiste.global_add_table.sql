-- Makes a table known to the set; on a leaf that is merged, to the combined queue too.
--
-- Returns:
--   200 - added, or known already
--   400 - no such node
-- Locks: the node_info row
-- Execute: londiste_writer
create or replace function londiste.global_add_table(
    in i_queue_name text,
    in i_table_name text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _table text := londiste.make_fqname(i_table_name);
    _combined_queue text;
begin
    select n.combined_queue into _combined_queue
        from pgq_node.node_info n
        where n.queue_name = i_queue_name
        for update;
    if not found then
        select 400, 'No such queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;

    insert into londiste.table_info (queue_name, table_name)
        values (i_queue_name, _table)
        on conflict (queue_name, table_name) do nothing;
    if not found then
        select 200, 'Table already added: ' || _table into ret_code, ret_note;
        return;
    end if;

    if _combined_queue is not null then
        perform londiste.global_add_table(_combined_queue, _table);
    end if;
    select 200, 'Table added: ' || i_table_name into ret_code, ret_note;
end;
$$ language plpgsql strict set search_path = pg_catalog, pg_temp;
