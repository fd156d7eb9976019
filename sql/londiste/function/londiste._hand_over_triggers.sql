-- Takes the name of a table that leaves a local table out of the triggers there, which has rows of another table of the set, too: that
-- one stays guarded as it was. On a root the other one was added without triggers, so there the ones of this name go.
--
-- Parameters:
--   i_table_name, i_other_name - names in the set: of the one that leaves, and of one that stays
--   i_effective_table          - the local table, with schema
-- Locks: the table, as CREATE and DROP TRIGGER do, when something changes
-- Calls: londiste._queue_triggers, londiste._partition_guards, londiste._drop_trigger, londiste.create_trigger
-- Execute: londiste_writer
create or replace function londiste._hand_over_triggers(
    i_queue_name text,
    i_table_name text,
    i_other_name text,
    i_effective_table text)
returns void as $$
declare
    _table oid := londiste.find_table_oid(i_effective_table);
    _node_type text;
    _trigger record;
begin
    select n.node_type into _node_type
        from pgq_node.node_info n
        where n.queue_name = i_queue_name;
    if not found then -- the node is being dropped: the last of its tables takes them along
        return;
    end if;
    if _node_type = 'root' then
        perform londiste._drop_trigger(_table, q.trigger_name)
            from londiste._queue_triggers(i_queue_name, _table) q
            where londiste._names_table(q.function_name, q.arguments, i_table_name, i_effective_table);
        perform londiste._drop_trigger(g.relation, g.trigger_name)
            from londiste._partition_guards(i_queue_name, _table) g
            where g.arguments[2] = i_table_name;
        return;
    end if;

    select q.function_name, q.event_bits, q.arguments into _trigger
        from londiste._queue_triggers(i_queue_name, _table) q
        where londiste._is_own_trigger(q.trigger_name) and not q.is_truncate and q.event_bits & 1 > 0
          and londiste._names_table(q.function_name, q.arguments, i_table_name, i_effective_table)
        limit 1;
    if not found then
        return;
    end if;
    perform londiste.create_trigger(
        i_queue_name, i_other_name,
        array(
            select concat('tgflags=',
                case when _trigger.event_bits & 2 > 0 then 'B' else 'A' end,
                case when _trigger.event_bits & 4 > 0 then 'I' end,
                case when _trigger.event_bits & 8 > 0 then 'D' end,
                case when _trigger.event_bits & 16 > 0 then 'U' end,
                case _trigger.function_name when 'pgq.jsontriga' then 'J' when 'pgq.sqltriga' then 'Q'
                    when 'pgq.logutriga' then 'L' end)
            union all
            select case u.argument when 'SKIP' then 'skip' else u.argument end
            from unnest(_trigger.arguments) u(argument)
            where u.argument not in ('deny', 'ev_extra1=' || quote_literal(i_table_name))),
        i_effective_table, _node_type);
end;
$$ language plpgsql strict set search_path = pg_catalog, pg_temp;

-- Whether a trigger writes a name: that is an argument of it, or else the one of its table.
create or replace function londiste._names_table(
    i_function_name text,
    i_arguments text[],
    i_table_name text,
    i_effective_table text)
returns boolean as $$
begin
    if i_function_name = 'londiste.log_truncate' then
        return i_arguments[1] = i_table_name;
    end if;
    return quote_literal(i_table_name) = coalesce(
        (select substr(u.argument, 11) from unnest(i_arguments) u(argument) where u.argument like 'ev_extra1=%' limit 1),
        quote_literal(i_effective_table));
end;
$$ language plpgsql strict immutable set search_path = pg_catalog, pg_temp;
