-- Gives a partition the triggers of its parent, enabled alike. Triggers of a queue report the changes under the name
-- that the parent has in the set; TRUNCATE of a single partition is not captured, it would empty the whole table
-- elsewhere.
--
-- Raises: Failed to reconstruct the trigger
-- Execute: londiste_writer
create or replace function londiste._copy_triggers(i_parent oid, i_part oid)
returns void as $$
declare
    _trigger record;
    _definition text;
begin
    for _trigger in
        select t.oid, t.tgname, t.tgenabled, t.tgtype, n.nspname || '.' || p.proname as function_name,
            londiste._trigger_arguments(t.tgargs) as arguments,
            londiste.is_replica_func(t.tgfoid) as is_capture
        from pg_trigger t
        join pg_proc p on (p.oid = t.tgfoid)
        join pg_namespace n on (n.oid = p.pronamespace)
        where t.tgrelid = i_parent and not t.tgisinternal
        order by t.tgname
    loop
        if _trigger.is_capture and londiste._copy_capture(i_parent, i_part, _trigger.oid) then
            continue;
        end if;
        if _trigger.function_name = 'londiste.log_truncate' then
            continue;
        end if;
        _definition := londiste._retarget(pg_get_triggerdef(_trigger.oid),
            '^CREATE (CONSTRAINT )?TRIGGER ', quote_ident(_trigger.tgname), ' ON ', i_parent, i_part);
        if _definition is null then
            raise exception 'Failed to reconstruct the trigger: %', _trigger.tgname;
        end if;
        execute _definition;
        perform londiste._set_mode(i_part, 'trigger', _trigger.tgname, _trigger.tgenabled);
    end loop;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;

-- Copies a trigger of a queue so that it uses the parent's name in the set.
--
-- Returns: false where a plain copy will do: the parent is not registered on that queue, or the trigger only refuses
--   changes
create or replace function londiste._copy_capture(i_parent oid, i_part oid, i_trigger oid)
returns boolean as $$
declare
    _trigger record;
    _set_name text;
    _arguments text[];
    _events text;
begin
    select t.tgname, t.tgtype, t.tgenabled, n.nspname || '.' || p.proname as function_name,
            n.nspname = 'pgq' and p.proname ~ '^capture_' as is_generated,
            londiste._trigger_arguments(t.tgargs) as arguments
        into _trigger
        from pg_trigger t
        join pg_proc p on (p.oid = t.tgfoid)
        join pg_namespace n on (n.oid = p.pronamespace)
        where t.oid = i_trigger;
    select i.table_name into _set_name
        from londiste.table_info i
        where i.queue_name = _trigger.arguments[1] and i.local
          and londiste.find_table_oid(coalesce(i.dest_table, i.table_name)) = i_parent;
    if _trigger.tgtype & 1 = 0 then
        -- a generated capture has statement triggers beside its row trigger
        return _trigger.is_generated;
    end if;
    if not _trigger.is_generated and (_set_name is null or 'deny' = any (_trigger.arguments[2:])) then
        return false;
    end if;

    _arguments := _trigger.arguments;
    if _set_name is not null and not exists (select 1 from unnest(_arguments[2:]) a where a like 'ev_extra1=%') then
        _arguments := _arguments || ('ev_extra1=' || quote_literal(_set_name));
    end if;
    if _trigger.is_generated then
        execute 'select pgq.create_capture($1, $2, $3, i_format => $4, i_args => $5, i_events => $6)'
            using i_part::regclass, _trigger.tgname::text, _arguments[1],
                substring(_trigger.function_name, '^pgq\.capture_([a-z]+)_'), _arguments[2:],
                concat(case when _trigger.tgtype & 4 > 0 then 'I' end, case when _trigger.tgtype & 16 > 0 then 'U' end,
                       case when _trigger.tgtype & 8 > 0 then 'D' end);
    else
        _events := concat_ws(' or ', case when _trigger.tgtype & 4 > 0 then 'insert' end,
            case when _trigger.tgtype & 16 > 0 then 'update' end, case when _trigger.tgtype & 8 > 0 then 'delete' end);
        execute format('create trigger %I %s %s on %s for each row execute function %s(%s)',
            _trigger.tgname, case when _trigger.tgtype & 2 > 0 then 'before' else 'after' end, _events,
            i_part::regclass, _trigger.function_name,
            (select string_agg(quote_literal(u.argument), ', ' order by u.nr)
             from unnest(_arguments) with ordinality u(argument, nr)));
    end if;
    perform londiste._set_mode(i_part, 'trigger', _trigger.tgname, _trigger.tgenabled);
    return true;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;

-- The server's definition of a trigger or rule with another table in it; null where it does not look as expected.
-- Only the table that it belongs to is replaced: the first mention after the object's own name.
create or replace function londiste._retarget(
    i_definition text,
    i_start_pattern text,
    i_name text,
    i_word text,
    i_parent oid,
    i_part oid)
returns text as $$
declare
    _start text := substring(i_definition, format('(%s)', i_start_pattern)) || i_name;
    _mention text := i_word || i_parent::regclass;
    _at int4;
begin
    if not starts_with(i_definition, coalesce(_start, '')) then
        return null;
    end if;
    _at := position(_mention in substr(i_definition, length(_start) + 1));
    if _at = 0 then
        return null;
    end if;
    return left(i_definition, length(_start) + _at - 1) || i_word || i_part::regclass
        || substr(i_definition, length(_start) + _at + length(_mention));
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;

-- Enables or disables a trigger or rule as pg_trigger.tgenabled or pg_rewrite.ev_enabled say.
create or replace function londiste._set_mode(i_table oid, i_kind text, i_name name, i_mode "char")
returns void as $$
declare
    _mode text := case i_mode when 'O' then 'enable' when 'D' then 'disable'
        when 'A' then 'enable always' when 'R' then 'enable replica' end;
begin
    if _mode is null then
        raise exception 'Unknown % mode: %', i_kind, i_mode;
    end if;
    if i_mode <> 'O' then
        execute format('alter table %s %s %s %I', i_table::regclass, _mode, i_kind, i_name);
    end if;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
