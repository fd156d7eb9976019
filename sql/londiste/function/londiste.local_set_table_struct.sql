-- Stores (or, with null, forgets) the statements that rebuild what a copy has dropped from a local table.
--
-- Parameters:
--   i_table_name - as registered, with schema
-- Returns: 200, or 404 when the table is not local
-- Raises: check violation when the table is past copying
-- Execute: londiste_writer
create or replace function londiste.local_set_table_struct(
    in i_queue_name text,
    in i_table_name text,
    in i_dropped_ddl text,
    out ret_code int4,
    out ret_note text)
returns record as $$
begin
    update londiste.table_info t
        set dropped_ddl = i_dropped_ddl
        where t.queue_name = i_queue_name and t.table_name = i_table_name and t.local;
    if not found then
        select 404, 'no such local table: ' || i_table_name into ret_code, ret_note;
        return;
    end if;
    select 200, 'Table struct stored' into ret_code, ret_note;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
