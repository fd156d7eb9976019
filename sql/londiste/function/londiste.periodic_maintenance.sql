-- Forgets scripts that ran more than 3 months ago, and puts the triggers that capture TRUNCATE of a partition on new
-- partitions; called by the ticker daemon. A table that is in use for longer is left for the next time, as is one that
-- the caller does not own.
--
-- Returns: 0, which asks not to be called again in this round
-- Locks: new partitions, as CREATE TRIGGER does
-- Calls: londiste._guard_partitions
-- Execute: pgq_admin, londiste_writer
create or replace function londiste.periodic_maintenance()
returns int4 as $$
declare
    _table record;
begin
    delete from londiste.applied_execute a
        where a.execute_time < now() - interval '3 months';

    for _table in
        select t.queue_name, t.table_name, g.root, n.node_type
        from londiste.table_info t
        join pgq_node.node_info n on (n.queue_name = t.queue_name)
        cross join lateral (select londiste.find_table_oid(coalesce(t.dest_table, t.table_name)) as root) g
        where t.local and exists (select 1 from londiste._queue_triggers(t.queue_name, g.root) q where q.is_truncate)
    loop
        begin
            perform londiste._guard_partitions(_table.queue_name, _table.table_name, _table.root, _table.node_type);
        exception
            when lock_not_available or insufficient_privilege or undefined_table then null;
        end;
    end loop;
    return 0;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '300ms';
