-- Removes a table from the set as far as this node knows it. Nothing is announced.
--
-- Returns: 200, or 400 when it is not known
-- Raises: queue does not exist
-- Calls: pgq_node.is_root_node, londiste.local_remove_table
-- Execute: londiste_writer
create or replace function londiste.global_remove_table(
    in i_queue_name text,
    in i_table_name text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _table text := londiste.make_fqname(i_table_name);
begin
    if not pgq_node.is_root_node(i_queue_name) then
        perform londiste.local_remove_table(i_queue_name, _table);
    end if;

    -- under session_replication_role = replica the trigger of table_info does not fire
    perform londiste.drop_table_triggers(i_queue_name, _table);
    delete from londiste.table_info t
        where t.queue_name = i_queue_name and t.table_name = _table;
    if not found then
        select 400, 'Table not found: ' || _table into ret_code, ret_note;
        return;
    end if;
    delete from londiste.copy_progress p
        where p.queue_name = i_queue_name and p.table_name = _table;
    select 200, 'Table removed: ' || i_table_name into ret_code, ret_note;
end;
$$ language plpgsql strict;
