-- Whether a physical table can be replicated.
--
-- Returns:
--   200 - it can
--   400 - no primary key, and no merge copy of another queue that has taken it away for the time being
--   404 - no such table
--   405 - its partitioned parent, or one of its partitions, is replicated through the same queue: rows would be
--         captured twice
-- Execute: londiste_writer
create or replace function londiste._check_new_table(
    in i_queue_name text,
    in i_dest_table text,
    in i_description text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _table oid := londiste.find_table_oid(i_dest_table);
    _relative text;
begin
    if _table is null then
        select 404, 'Table does not exist: ' || i_description into ret_code, ret_note;
        return;
    end if;

    if londiste.find_column_types(i_dest_table) not like '%k%' then
        perform 1
            from pgq_node.node_info n
            join pgq_node.node_info o on (o.combined_queue = n.combined_queue and o.queue_name <> n.queue_name)
            join londiste.table_info t on (t.queue_name = o.queue_name)
            where n.queue_name = i_queue_name and t.dropped_ddl is not null
              and coalesce(t.dest_table, t.table_name) = i_dest_table;
        if not found then
            select 400, 'Primary key missing on table: ' || i_description into ret_code, ret_note;
            return;
        end if;
    end if;

    if exists (
            select 1 from pg_catalog.pg_class c
            where c.oid = _table and (c.relkind = 'p' or c.relispartition)) then
        select t.table_name into _relative
            from (
                select f.relid from pg_partition_ancestors(_table) f
                union
                select f.relid from pg_partition_tree(_table) f
            ) p
            join pg_catalog.pg_class c on (c.oid = p.relid and c.oid <> _table)
            join pg_catalog.pg_namespace n on (n.oid = c.relnamespace)
            join londiste.table_info t
                on (t.queue_name = i_queue_name and t.local
                    and coalesce(t.dest_table, t.table_name) = n.nspname || '.' || c.relname)
            limit 1;
        if found then
            select 405, 'Table ' || i_description || ' shares rows with table ' || _relative
                    || ', use remove-table first to remove it'
                into ret_code, ret_note;
            return;
        end if;
    end if;

    select 200, 'Ok' into ret_code, ret_note;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
