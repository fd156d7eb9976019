-- Sets up the triggers that capture a table's changes into a queue, or on a leaf refuse them. May be repeated:
-- triggers that are as wanted stay untouched, others of the queue that londiste made are replaced.
--
-- Unless the flags name a format, an AFTER trigger is generated for the table and writes what pgq.jsontriga writes.
-- The generic trigger functions serve where a format is named, for BEFORE and SKIP triggers, and on a leaf.
--
-- Parameters:
--   i_table_name, i_dest_table - name in the set and effective table, with schema
--   i_trg_args   - see _trigger_plan
--   i_node_type  - root, branch or leaf
-- Returns: trigger_name is the row trigger, null when there is none
--   200 - done
--   201 - no trigger wanted, or PgQ has no trigger functions here
--   403 - an AFTER trigger would not see what a SKIP trigger swallows
--   405 - more than one SKIP trigger
-- Raises: relation does not exist; not-null violation of the server for missing names
-- Locks: the table, as CREATE and DROP TRIGGER do, when something changes
-- Calls: londiste._trigger_plan, londiste._queue_triggers, londiste._replace_trigger, londiste._guard_partitions
-- Execute: londiste_writer
create or replace function londiste.create_trigger(
    in i_queue_name text,
    in i_table_name text,
    in i_trg_args text[],
    in i_dest_table text,
    in i_node_type text,
    out ret_code int4,
    out ret_note text,
    out trigger_name text)
returns record as $$
declare
    _plan record;
    _dest_table text := coalesce(i_dest_table, i_table_name);
    _table oid;
    _is_renamed boolean;
    _is_generated boolean;
    _logs_truncate boolean;
    _skip_triggers text[];
begin
    select * into _plan from londiste._trigger_plan(i_trg_args);
    if not _plan.is_wanted then
        select 201, 'Trigger not created' into ret_code, ret_note;
        return;
    end if;
    _is_generated := _plan.format is null and _plan.timing = 'after' and not _plan.is_skip
        and i_node_type <> 'leaf' and to_regproc('pgq.create_capture') is not null;
    if not _is_generated
        and coalesce(to_regproc('pgq.logutriga'), to_regproc('pgq.sqltriga'), to_regproc('pgq.jsontriga')) is null then
        select 201, 'Trigger not created' into ret_code, ret_note;
        return;
    end if;
    _table := londiste.quote_fqname(_dest_table)::regclass;

    -- rows of a partitioned table are captured in the partitions, under their names; any table may be renamed later
    _is_renamed := _dest_table <> i_table_name
        or exists (select 1 from pg_catalog.pg_class c where c.oid = _table and c.relkind = 'p');
    if (_is_renamed or _is_generated) and not exists (select 1 from unnest(_plan.arguments) a where a like 'ev_extra1=%') then
        _plan.arguments := _plan.arguments || ('ev_extra1=' || quote_literal(i_table_name));
    end if;

    if i_node_type = 'leaf' then
        _plan.arguments := _plan.arguments || text 'deny';
    else
        _plan.arguments := londiste._ignore_generated(_plan.arguments, _table);
    end if;

    -- a generated capture adds up to 9 bytes to the name of its row trigger
    trigger_name := londiste._trigger_name('_londiste_' || i_queue_name, '', case when _is_generated then 54 else 63 end);
    if _plan.is_skip or _plan.timing = 'after' then
        select array_agg(t.tgname::text) into _skip_triggers
            from pg_catalog.pg_trigger t
            where t.tgrelid = _table and not t.tgisinternal and t.tgparentid = 0
              and 'SKIP' = any ((londiste._trigger_arguments(t.tgargs))[2:])
              and t.tgname::text not in (
                  select q.trigger_name from londiste._queue_triggers(i_queue_name, _table) q
                  where londiste._is_own_trigger(q.trigger_name));
        if _plan.timing = 'after' and _skip_triggers is not null then
            select 403, 'AFTER trigger cannot work with SKIP trigger(s)' into ret_code, ret_note;
            trigger_name := null;
            return;
        end if;
    end if;
    if _plan.is_skip then
        if cardinality(_skip_triggers) > 1 then
            select 405, 'Multiple SKIP triggers' into ret_code, ret_note;
            trigger_name := null;
            return;
        elsif _skip_triggers is null then
            trigger_name := londiste._trigger_name('zzz__londiste_' || i_queue_name, '', 63);
            _plan.arguments := _plan.arguments || text 'SKIP';
        elsif _skip_triggers[1] not like 'zzz\_%' then
            -- the other trigger swallows the row, so it has to fire last
            execute format('alter trigger %I on %s rename to %I', _skip_triggers[1], _table::regclass,
                londiste._trigger_name('zzz_' || _skip_triggers[1], '', 63));
        end if;
    end if;

    perform londiste._replace_trigger(i_queue_name, _table, false, trigger_name,
        format('%s %s', _plan.timing, _plan.events),
        case when _is_generated then 'pgq.create_capture'
             when _plan.format = 'J' then 'pgq.jsontriga'
             when _plan.format = 'Q' then 'pgq.sqltriga'
             else 'pgq.logutriga' end,
        _plan.arguments);

    _logs_truncate := _is_generated or (_is_renamed and i_node_type <> 'leaf');
    perform londiste._replace_trigger(i_queue_name, _table, true,
        londiste._trigger_name('_londiste_' || i_queue_name, '_truncate', 63), 'after truncate',
        case when _logs_truncate then 'londiste.log_truncate' else 'pgq.sqltriga' end,
        case when _logs_truncate then array[i_table_name] when i_node_type = 'leaf' then array['deny'] else '{}' end);
    perform londiste._guard_partitions(i_queue_name, i_table_name, _table, i_node_type);

    select 200, 'OK' into ret_code, ret_note;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;

-- Whether a name is one that create_trigger gives, or gave once.
create or replace function londiste._is_own_trigger(i_trigger_name text)
returns boolean as $$
begin
    return i_trigger_name ~ '^(zzz_)?_londiste_';
end;
$$ language plpgsql strict immutable set search_path = pg_catalog, pg_temp;

-- A trigger name of at most i_bytes bytes, different for every queue: what does not fit is replaced by a digest.
create or replace function londiste._trigger_name(i_name text, i_suffix text, i_bytes int4)
returns text as $$
declare
    _room int4 := i_bytes - octet_length(i_suffix);
    _kept text := i_name;
begin
    if octet_length(i_name) <= _room then
        return i_name || i_suffix;
    end if;
    while octet_length(_kept) > _room - 9 loop
        _kept := left(_kept, -1);
    end loop;
    return _kept || '_' || left(md5(i_name), 8) || i_suffix;
end;
$$ language plpgsql strict immutable set search_path = pg_catalog, pg_temp;

-- Adds the generated columns to the ignored ones: a reader cannot write them.
create or replace function londiste._ignore_generated(i_arguments text[], i_table oid)
returns text[] as $$
declare
    _generated text;
    _at int4;
begin
    select string_agg(a.attname, ',' order by a.attnum) into _generated
        from pg_catalog.pg_attribute a
        where a.attrelid = i_table and a.attnum > 0 and not a.attisdropped and a.attgenerated <> ''
          and not exists (
              select 1 from pg_catalog.pg_index i
              where i.indrelid = i_table and i.indisprimary and a.attnum = any (i.indkey::int2[]));
    if _generated is null then
        return i_arguments;
    end if;
    select u.nr into _at
        from unnest(i_arguments) with ordinality u(argument, nr)
        where u.argument like 'ignore=%'
        order by u.nr limit 1;
    if not found then
        return i_arguments || ('ignore=' || _generated);
    end if;
    i_arguments[_at] := i_arguments[_at] || ',' || _generated;
    return i_arguments;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
