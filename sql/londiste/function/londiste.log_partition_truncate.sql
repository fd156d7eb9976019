-- Trigger that captures TRUNCATE of a single partition of a replicated table: as deletes of its rows, since an event of
-- TRUNCATE would empty the whole table on the other nodes. Fires before TRUNCATE, on the partitions and on the table itself,
-- whose own event tells of all partitions at once. A partition that was detached belongs to nobody.
--
-- Expressions among the arguments of the table's triggers are the text of its owner, and would run with the rights of this
-- function's: they are refused where the one may not act as the other.
--
-- Trigger arguments: queue, name in the set, deny on a leaf
-- Raises: change not allowed; cannot be captured
-- Calls: pgq._capture_row
-- Execute: londiste_writer
create or replace function londiste.log_partition_truncate()
returns trigger as $$
declare
    _table oid;
    _trigger record;
begin
    if current_setting('session_replication_role') = 'local' then
        return null;
    end if;
    select londiste.find_table_oid(coalesce(t.dest_table, t.table_name)) into _table
        from londiste.table_info t
        where t.queue_name = tg_argv[0] and t.table_name = tg_argv[1] and t.local;
    if _table = tg_relid then
        perform set_config('londiste.truncating', _table::text, true);
        return null;
    end if;
    if current_setting('londiste.truncating', true) = _table::text
        or not exists (select 1 from pg_partition_ancestors(tg_relid) a where a.relid = _table) then
        return null;
    end if;
    if 'deny' = any (tg_argv[2:]) then
        raise exception 'Table ''%'' to queue ''%'': change not allowed (TRUNCATE)', tg_argv[1], tg_argv[0];
    end if;
    for _trigger in
        select q.arguments, case when q.function_name ~ 'urlenc_|logutriga$' then 'urlenc'
                                 when q.function_name ~ 'sql_|sqltriga$' then 'sql' else 'json' end as format, q.trigger_name
        from londiste._queue_triggers(tg_argv[0], _table) q
        where not q.is_truncate and q.is_enabled and q.event_bits & 8 > 0 and q.event_bits & 1 > 0
    loop
        if exists (select 1 from pgq._capture_arguments(_trigger.arguments) a where a.o_expressions <> '{}')
            and not exists (select 1 from pg_class c where c.oid = _table and pg_has_role(c.relowner, current_user, 'usage')) then
            raise exception 'TRUNCATE of a partition of % cannot be captured into queue %: trigger % computes with expressions',
                    tg_argv[1], tg_argv[0], _trigger.trigger_name
                using hint = 'Delete its rows instead, or empty the whole table.';
        end if;
        execute format('select pgq._capture_row(%L, %L::oid, %L::text[], ''AFTER'', ''DELETE'', p, p, true) from only %s p',
            _trigger.format, _table, tg_argv[0] || _trigger.arguments, tg_relid::regclass);
    end loop;
    return null;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
