-- Stops replicating a table: triggers and owned sequences go; a root removes it from the whole set. Where a copy has
-- dropped indexes and constraints they come back: on a table of this queue alone it is emptied first; where other
-- registrations fill the same table their rows stay, and the next of them that is copying inherits the statements.
--
-- Returns:
--   200 - removed
--   400 - not registered, or (not on a root) not local
-- Raises: what the stored statements raise
-- Locks: on a root the node_info row; elsewhere the worker's position, where sequences go too; the table, see _lock_table; the
--   table_info row, see _lock_registrations
-- Calls: pgq_node._lock_positions, londiste._lock_table, londiste._lock_registrations, londiste.drop_table_triggers,
--   londiste._drop_built_indexes, londiste._sharing_table, londiste._owned_seqs, londiste.local_remove_seq,
--   londiste.global_remove_table, londiste.root_notify_change
-- Execute: londiste_writer
create or replace function londiste.local_remove_table(
    in i_queue_name text,
    in i_table_name text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _table text := londiste.make_fqname(i_table_name);
    _is_root boolean;
    _worker_name text;
    _is_copied boolean;
    _row record;
    _seq_name text;
begin
    -- before the sequences, which root_check_seqs goes through behind that lock, and before events are written
    perform 1 from pgq_node.node_info n
        where n.queue_name = i_queue_name and n.node_type = 'root'
        for update;
    -- The worker comes to the rows of the table and to its sequences in the order of the events, behind the lock on its
    -- position. To a table that is being copied it does not come; the copy has it locked, and the worker is not to wait for that.
    select n.worker_name, t.merge_state is distinct from 'ok' into _worker_name, _is_copied
        from pgq_node.node_info n
        join londiste.table_info t on (t.queue_name = n.queue_name and t.table_name = _table and t.local)
        where n.queue_name = i_queue_name and n.node_type <> 'root'
          and exists (
              select 1
              from londiste._owned_seqs(coalesce(t.dest_table, t.table_name)) o(seq_name)
              join londiste.seq_info s on (s.queue_name = i_queue_name and s.seq_name = o.seq_name and s.local)
              where londiste._sharing_table(i_queue_name, _table, coalesce(t.dest_table, t.table_name)) is null);
    if _is_copied then
        perform londiste._lock_table(i_queue_name, _table);
    end if;
    -- An older pgq_node has no such order.
    if _worker_name is not null and pg_catalog.to_regprocedure('pgq_node._lock_positions(text,text)') is not null then
        perform pgq_node._lock_positions(i_queue_name, _worker_name);
    end if;
    perform londiste._lock_table(i_queue_name, _table);
    perform londiste._lock_registrations(i_queue_name, _table);
    select t.local, t.dropped_ddl, coalesce(t.dest_table, t.table_name) as effective_table into _row
        from londiste.table_info t
        where t.queue_name = i_queue_name and t.table_name = _table
        for update;
    if not found then
        select 400, 'Table not found: ' || _table into ret_code, ret_note;
        return;
    end if;
    _is_root := pgq_node.is_root_node(i_queue_name);

    if _row.local then
        perform londiste.drop_table_triggers(i_queue_name, _table);
        update londiste.table_info t
            set local = false, merge_state = null, custom_snapshot = null, table_attrs = null,
                dropped_ddl = null, dest_table = null
            where t.queue_name = i_queue_name and t.table_name = _table;
        delete from londiste.copy_progress p
            where p.queue_name = i_queue_name and p.table_name = _table;
        if _row.dropped_ddl is not null then
            perform londiste._give_back_ddl(i_queue_name, _table, _row.effective_table, _row.dropped_ddl);
        end if;

        -- of a table that another one of the set shares they are the other's, too
        for _seq_name in
            select o.seq_name
            from londiste._owned_seqs(_row.effective_table) with ordinality o(seq_name, nr)
            where londiste._sharing_table(i_queue_name, _table, _row.effective_table) is null
            order by o.nr
        loop
            perform londiste.local_remove_seq(i_queue_name, _seq_name);
        end loop;
    elsif not _is_root then
        select 400, 'Table not registered locally: ' || _table into ret_code, ret_note;
        return;
    end if;

    if _is_root then
        perform londiste.global_remove_table(i_queue_name, _table);
        perform londiste.root_notify_change(i_queue_name, 'londiste.remove-table', _table);
    end if;
    select 200, 'Table removed: ' || _table into ret_code, ret_note;
end;
$$ language plpgsql strict;

-- Rebuilds what a copy has dropped, when its registration is removed: wherever that copy has ended, also between two of
-- the indexes that it builds. Runs the statements with the caller's search path, as they were stored.
create or replace function londiste._give_back_ddl(
    i_queue_name text,
    i_table_name text,
    i_effective_table text,
    i_dropped_ddl text)
returns void as $$
declare
    _only text;
    _is_shared boolean;
begin
    if londiste.find_table_oid(i_effective_table) is null then
        return;
    end if;

    perform 1 from londiste.table_info t
        where t.local and coalesce(t.dest_table, t.table_name) = i_effective_table
          and (t.queue_name, t.table_name) <> (i_queue_name, i_table_name);
    _is_shared := found;
    if not _is_shared then
        _only := case when londiste.find_rel_oid(i_effective_table, 'p') is null then 'only ' else '' end;
        execute pg_catalog.format('truncate %s%s', _only, londiste.quote_fqname(i_effective_table));
    end if;
    perform londiste._drop_built_indexes(i_effective_table, i_dropped_ddl);

    if _is_shared then
        update londiste.table_info t
            set dropped_ddl = i_dropped_ddl
            where (t.queue_name, t.table_name) = (
                select o.queue_name, o.table_name
                from londiste.table_info o
                where o.local and coalesce(o.dest_table, o.table_name) = i_effective_table
                  and (o.queue_name, o.table_name) <> (i_queue_name, i_table_name)
                  and o.merge_state in ('in-copy', 'catching-up') and o.dropped_ddl is null
                order by o.queue_name collate "C", o.table_name collate "C"
                limit 1
                for update);
        if found then
            return;
        end if;
    end if;
    execute i_dropped_ddl;
end;
$$ language plpgsql strict;
