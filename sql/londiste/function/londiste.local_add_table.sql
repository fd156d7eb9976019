-- Starts to replicate a table: on a root its changes are captured from now on, elsewhere its copy and its events are
-- taken from the provider.
--
-- Parameters:
--   i_table_name  - name in the set; schema public when it has none
--   i_trg_args    - registration tokens and trigger arguments:
--       expect_sync    no copy, the data are there
--       skip_truncate  do not empty the table before its copy
--       merge_all      on a leaf: attach every queue that has the table
--       no_merge       on a leaf: attach this queue only, and not the combined one
--       virtual_table  no such table here: no check, no triggers, no copy
--       no_triggers    none
--       others         see create_trigger
--   i_table_attrs - urlencoded dictionary; null keeps what is stored
--   i_dest_table  - physical table, when its name differs
-- Returns:
--   200 - added, or was added just so
--   301 - added, but another trigger may put its changes before the table's own
--   400 - no primary key; on a root one that is deferrable, unless a pkey= argument names other columns: within a
--         transaction two rows may have the same key, and their events could not be told apart; no such node
--   404 - no such table in the database, or in the set (not on a root)
--   405 - contradicting tokens; other sources of the same table; a partition and its parent at once; on a root another
--         name of the same table: its trigger writes one name
--   410 - was added with other attributes
--   other codes of create_trigger
--   The caller must roll back on 400 and above.
-- Raises: `lost table` when another transaction has removed it from the set meanwhile
-- Locks: the node_info row, FOR UPDATE on a root, FOR KEY SHARE elsewhere; the table_info row; the table as CREATE TRIGGER does
-- Calls: londiste.global_add_table, londiste.root_notify_change, londiste.create_trigger
-- Execute: londiste_writer
create or replace function londiste.local_add_table(
    in i_queue_name text,
    in i_table_name text,
    in i_trg_args text[],
    in i_table_attrs text,
    in i_dest_table text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _table text := londiste.make_fqname(i_table_name);
    _dest_table text := londiste.make_fqname(coalesce(i_dest_table, i_table_name));
    _description text := _table || case when _dest_table <> _table then '(' || _dest_table || ')' else '' end;
    _tokens text[] := coalesce(i_trg_args, '{}');
    _is_virtual boolean := 'virtual_table' = any (_tokens);
    _attrs text := i_table_attrs;
    _node record;
    _row record;
    _state text;
    _other_name text;
    _trigger record;
begin
    if array['merge_all', 'no_merge'] <@ _tokens then
        select 405, 'Cannot use merge-all and no-merge together' into ret_code, ret_note;
        return;
    end if;
    if not _is_virtual then
        select f.ret_code, f.ret_note into ret_code, ret_note
            from londiste._check_new_table(i_queue_name, _dest_table, _description) f;
        if ret_code <> 200 then
            return;
        end if;
    end if;

    -- What the node is it stays until the end. Before all other locks: on a root sequences that follow need this one, and
    -- root_check_seqs has it when it comes to them. Elsewhere it is the weakest that a takeover waits for.
    loop
        perform 1 from pgq_node.node_info n
            where n.queue_name = i_queue_name and n.node_type = 'root'
            for update;
        exit when found;
        perform 1 from pgq_node.node_info n
            where n.queue_name = i_queue_name
            for key share;
        exit when not found or not pgq_node.is_root_node(i_queue_name);
    end loop;
    select n.node_type, n.combined_queue, c.node_type as combined_type into _node
        from pgq_node.node_info n
        left join pgq_node.node_info c on (c.queue_name = n.combined_queue)
        where n.queue_name = i_queue_name;
    if not found then
        select 400, 'No such set: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;

    if _node.node_type = 'root' and not _is_virtual and not 'no_triggers' = any (_tokens)
        and not exists (select 1 from unnest(_tokens) t where t like 'pkey=%')
        and exists (
            select 1 from pg_catalog.pg_index i
            where i.indrelid = londiste.find_table_oid(_dest_table) and i.indisprimary and not i.indimmediate) then
        select 400, 'Primary key is deferrable: ' || _description into ret_code, ret_note;
        return;
    end if;

    if 'skip_truncate' = any (_tokens) then
        _attrs := concat_ws('&', nullif(_attrs, ''), 'skip_truncate=1');
    end if;
    _state := case when _node.node_type = 'root' or _is_virtual or 'expect_sync' = any (_tokens)
            or (_node.node_type = 'leaf' and _node.combined_type = 'branch') then 'ok' end;

    select t.local, t.table_attrs into _row
        from londiste.table_info t
        where t.queue_name = i_queue_name and t.table_name = _table;
    if not found then
        if _node.node_type <> 'root' then
            select 404, 'Table not available on queue: ' || _description into ret_code, ret_note;
            return;
        end if;
        select f.ret_code, f.ret_note into ret_code, ret_note
            from londiste.global_add_table(i_queue_name, _table) f;
        if ret_code <> 200 then
            return;
        end if;
    end if;
    select t.local, t.table_attrs into _row
        from londiste.table_info t
        where t.queue_name = i_queue_name and t.table_name = _table
        for update;
    if not found then
        raise exception 'lost table: %', _table;
    end if;
    if _row.local then
        if _row.table_attrs is distinct from _attrs then
            select 410, 'Table ' || _description || ' already added, but with different args: '
                    || coalesce(_row.table_attrs, '')
                into ret_code, ret_note;
        else
            select 200, 'Table already added: ' || _description into ret_code, ret_note;
        end if;
        return;
    end if;

    if _node.node_type = 'root' and not _is_virtual and not 'no_triggers' = any (_tokens) then
        select t.table_name into _other_name
            from londiste.table_info t
            where t.queue_name = i_queue_name and t.local and t.table_name <> _table
              and coalesce(t.dest_table, t.table_name) = _dest_table
            limit 1;
        if found then
            select 405, 'Table ' || _description || ' is replicated already as ' || _other_name
                    || ', use remove-table first to remove it'
                into ret_code, ret_note;
            return;
        end if;
    end if;

    if _node.node_type = 'leaf' and not 'no_merge' = any (_tokens) then
        select f.ret_code, f.ret_note into ret_code, ret_note
            from londiste._merge_sources(i_queue_name, _node.combined_queue, _dest_table, _description,
                'merge_all' = any (_tokens), _state, _attrs) f;
        if ret_code <> 200 then
            return;
        end if;
    end if;

    if _node.node_type = 'root' then
        perform londiste.root_notify_change(i_queue_name, 'londiste.add-table', _table);
    end if;
    update londiste.table_info t
        set local = true, merge_state = _state, table_attrs = coalesce(_attrs, t.table_attrs),
            dest_table = nullif(_dest_table, _table)
        where t.queue_name = i_queue_name and t.table_name = _table;
    delete from londiste.copy_progress p
        where p.queue_name = i_queue_name and p.table_name = _table;

    if _node.combined_type in ('root', 'branch') and not 'no_merge' = any (_tokens)
        and not exists (
            select 1 from londiste.table_info t
            where t.queue_name = _node.combined_queue and t.table_name = _table and t.local) then
        select f.ret_code, f.ret_note into ret_code, ret_note
            from londiste.local_add_table(_node.combined_queue, i_table_name, i_trg_args, i_table_attrs,
                i_dest_table) f;
        if ret_code > 301 then
            return;
        end if;
    end if;

    select f.* into _trigger
        from londiste.create_trigger(i_queue_name, _table, i_trg_args, _dest_table, _node.node_type) f;
    if _trigger.ret_code > 299 then
        ret_code := _trigger.ret_code;
        ret_note := 'Trigger creation failed for table ' || _description || ': ' || _trigger.ret_note;
    elsif _trigger.ret_code = 201 then
        select 200, 'Table added with no triggers: ' || _description into ret_code, ret_note;
    else
        select f.ret_code, f.ret_note into ret_code, ret_note
            from londiste._check_trigger_order(_dest_table, _trigger.trigger_name, _description) f;
    end if;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;

create or replace function londiste.local_add_table(
    in i_queue_name text,
    in i_table_name text,
    in i_trg_args text[],
    in i_table_attrs text,
    out ret_code int4,
    out ret_note text)
returns record as $$
begin
    select f.ret_code, f.ret_note into ret_code, ret_note
        from londiste.local_add_table(i_queue_name, i_table_name, i_trg_args, i_table_attrs, null) f;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;

create or replace function londiste.local_add_table(
    in i_queue_name text,
    in i_table_name text,
    in i_trg_args text[],
    out ret_code int4,
    out ret_note text)
returns record as $$
begin
    select f.ret_code, f.ret_note into ret_code, ret_note
        from londiste.local_add_table(i_queue_name, i_table_name, i_trg_args, null, null) f;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;

create or replace function londiste.local_add_table(
    in i_queue_name text,
    in i_table_name text,
    out ret_code int4,
    out ret_note text)
returns record as $$
begin
    select f.ret_code, f.ret_note into ret_code, ret_note
        from londiste.local_add_table(i_queue_name, i_table_name, null, null, null) f;
end;
$$ language plpgsql strict set search_path = pg_catalog, pg_temp;
