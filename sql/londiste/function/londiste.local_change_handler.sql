-- Replaces attributes and triggers of a local table.
--
-- Parameters:
--   i_table_name  - as registered, with schema
--   i_trg_args    - as for local_add_table
--   i_table_attrs - urlencoded dictionary, stored whole
-- Returns:
--   200 - done
--   400 - no such node
--   404 - the table is not local
--   other codes of create_trigger
-- Calls: londiste.local_set_table_attrs, londiste.create_trigger
-- Execute: londiste_writer
create or replace function londiste.local_change_handler(
    in i_queue_name text,
    in i_table_name text,
    in i_trg_args text[],
    in i_table_attrs text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _node_type text;
    _dest_table text;
    _description text;
begin
    select n.node_type into _node_type
        from pgq_node.node_info n
        where n.queue_name = i_queue_name;
    if not found then
        select 400, 'No such set: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;

    select f.ret_code, f.ret_note into ret_code, ret_note
        from londiste.local_set_table_attrs(i_queue_name, i_table_name, i_table_attrs) f;
    if ret_code <> 200 then
        return;
    end if;

    select coalesce(t.dest_table, t.table_name) into _dest_table
        from londiste.table_info t
        where t.queue_name = i_queue_name and t.table_name = i_table_name;
    _description := i_table_name;
    if _dest_table <> i_table_name then
        _description := i_table_name || '(' || _dest_table || ')';
    end if;

    select f.ret_code, f.ret_note into ret_code, ret_note
        from londiste.create_trigger(i_queue_name, i_table_name, i_trg_args, _dest_table, _node_type) f;
    if ret_code > 299 then
        ret_note := 'Trigger creation failed for table ' || _description || ': ' || ret_note;
    elsif ret_code = 201 then
        select 200, 'Table handler updated with no triggers: ' || _description into ret_code, ret_note;
    else
        select 200, 'Handler changed for table: ' || _description into ret_code, ret_note;
    end if;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
