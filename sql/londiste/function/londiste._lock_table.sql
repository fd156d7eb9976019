-- Locks the effective table of a registration whose triggers are about to be dropped, or what its copy has dropped to be given
-- back. Everywhere the table comes before its row of table_info, and that before the row of copy_progress: a copy has the table
-- locked when it moves on the state, and while it tells in another session how far it is. Several rows of table_info come in the order
-- of _lock_registrations.
--
-- Parameters:
--   i_table_name - as registered, with schema
-- Locks: the table in ACCESS EXCLUSIVE mode, with its partitions; nothing when there is nothing to be dropped
-- Calls: londiste._queue_triggers, londiste._partition_guards
-- Execute: londiste_writer
create or replace function londiste._lock_table(i_queue_name text, i_table_name text)
returns void as $$
declare
    _table oid;
    _has_dropped_ddl boolean;
    _kind "char";
begin
    select londiste.find_table_oid(coalesce(t.dest_table, t.table_name)), t.dropped_ddl is not null
        into _table, _has_dropped_ddl
        from londiste.table_info t
        where t.queue_name = i_queue_name and t.table_name = i_table_name and t.local;
    select c.relkind into _kind from pg_catalog.pg_class c where c.oid = _table and c.relkind in ('r', 'p');
    if not found then
        return;
    end if;
    if _has_dropped_ddl
        or exists (select 1 from londiste._queue_triggers(i_queue_name, _table))
        or exists (select 1 from londiste._partition_guards(i_queue_name, _table)) then
        execute format('lock table %s%s in access exclusive mode',
            case when _kind = 'r' then 'only ' else '' end, _table::regclass);
    end if;
end;
$$ language plpgsql strict set search_path = pg_catalog, pg_temp;
