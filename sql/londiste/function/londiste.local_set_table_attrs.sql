-- Replaces the attributes of a local table.
--
-- Parameters:
--   i_table_name  - as registered, with schema
--   i_table_attrs - urlencoded dictionary, stored whole
-- Returns: 200, or 404 when the table is not local
-- Execute: londiste_writer
create or replace function londiste.local_set_table_attrs(
    in i_queue_name text,
    in i_table_name text,
    in i_table_attrs text,
    out ret_code int4,
    out ret_note text)
returns record as $$
begin
    update londiste.table_info t
        set table_attrs = i_table_attrs
        where t.queue_name = i_queue_name and t.table_name = i_table_name and t.local;
    if not found then
        select 404, 'no such local table: ' || i_table_name into ret_code, ret_note;
        return;
    end if;
    select 200, i_table_name || ': Table attributes stored' into ret_code, ret_note;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
