-- Lists the tables of a set in order of registration.
--
-- Returns: copy_role and copy_pos tell a running copy what other queues do with the same table, see _coordinate_copy
-- Calls: londiste._coordinate_copy
-- Execute: londiste_reader, londiste_writer
create or replace function londiste.get_table_list(
    in i_queue_name text,
    out table_name text,
    out local boolean,
    out merge_state text,
    out custom_snapshot text,
    out table_attrs text,
    out dropped_ddl text,
    out copy_role text,
    out copy_pos int4,
    out dest_table text)
returns setof record as $$
begin
    return query
        select t.table_name, t.local, t.merge_state, t.custom_snapshot, t.table_attrs, t.dropped_ddl,
            c.copy_role, coalesce(c.copy_pos, 0), t.dest_table
        from londiste.table_info t
        -- strict: costs nothing for the many tables that are not being copied
        cross join lateral londiste._coordinate_copy(t.queue_name,
            case when t.merge_state in ('in-copy', 'catching-up') then t.table_name end) c
        where t.queue_name = i_queue_name
        order by t.nr, t.table_name;
end;
$$ language plpgsql strict stable set search_path = pg_catalog, pg_temp;
