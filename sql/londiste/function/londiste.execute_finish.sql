-- Ends the run of a script; a root sends it on to the other nodes.
--
-- Returns: 200, or 404 when no queue of the database knows the script
-- Calls: pgq_node.is_root_node, pgq.insert_event
-- Execute: londiste_writer
create or replace function londiste.execute_finish(
    in i_queue_name text,
    in i_file_name text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _script record;
begin
    select a.execute_sql, a.execute_attrs into _script
        from londiste.applied_execute a
        where a.execute_file = i_file_name;
    if not found then
        select 404, 'execute_file called without execute_start' into ret_code, ret_note;
        return;
    end if;

    if pgq_node.is_root_node(i_queue_name) then
        perform pgq.insert_event(i_queue_name, 'EXECUTE',
            _script.execute_sql, i_file_name, _script.execute_attrs, null, null);
    end if;
    select 200, 'Execute finished: ' || i_file_name into ret_code, ret_note;
end;
$$ language plpgsql strict set search_path = pg_catalog, pg_temp;
