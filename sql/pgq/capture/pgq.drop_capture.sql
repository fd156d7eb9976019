-- Removes a capture that pgq.create_capture made: its triggers and its generated functions.
--
-- Parameters: i_table, i_trigger_name   as given to pgq.create_capture
-- Returns: number of triggers dropped, 0 when there is no such capture
-- Needs: ownership of the table
-- Locks: the table in ACCESS EXCLUSIVE mode, as DROP TRIGGER does
-- Execute: pgq_writer
create or replace function pgq.drop_capture(i_table regclass, i_trigger_name text)
returns integer as $$
declare
    _trigger name;
    _count integer := 0;
begin
    for _trigger in select t.tgname from pgq._capture_present(i_table, i_trigger_name) t loop
        execute format('drop trigger %I on %s', _trigger, i_table);
        _count := _count + 1;
    end loop;
    perform pgq._settle_captures(i_table, current_user);
    return _count;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
