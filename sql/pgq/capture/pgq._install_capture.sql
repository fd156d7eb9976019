-- Creates the trigger function of a capture and lets i_role use it in CREATE TRIGGER. Always a new function: one that a
-- trigger uses is only ever renewed from what that trigger says (pgq._capture_renew), so that nobody but the owner of a
-- table decides what its capture does.
--
-- Parameters: i_table, i_format, i_args (queue, trigger arguments), i_has_set (with set form), i_role
-- Returns: name of the function, without schema; with a set form there is also <name>_by_row, for the row trigger's WHEN:
--   is the row trigger to log?
-- Errors: `No such event queue`, `bad param to pgq trigger`
-- Execute: pgq_writer
create or replace function pgq._install_capture(
    i_table oid, i_format text, i_args text[], i_has_set boolean, i_role text)
returns text as $$
declare
    _name text;
    _attempt integer := 0;
begin
    loop
        _name := concat_ws('_', 'capture', i_format, i_table, nullif(_attempt, 0));
        exit when to_regproc(format('pgq.%I', _name)) is null;
        _attempt := _attempt + 1;
    end loop;
    perform pgq._capture_write_function(_name, i_table, i_format, i_args, i_has_set);
    execute format('grant execute on function pgq.%I() to %I', _name, i_role);
    if i_has_set then
        -- never replaced: statements in progress rely on its answer
        execute format('create or replace function pgq.%I() returns boolean language plpgsql immutable as %L',
                       _name || '_by_row',
                       format(E'\nbegin\nreturn not pgq._capture_is_set_safe(%L::pg_catalog.regclass, %L);\nend;\n',
                              i_table, _name));
        execute format('grant execute on function pgq.%I() to public', _name || '_by_row');
    end if;
    return _name;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;

-- Takes back what pgq._install_capture granted, and drops the capture functions of the table that no trigger uses.
-- Execute: pgq_writer
create or replace function pgq._settle_captures(i_table oid, i_role text)
returns void as $$
declare
    _function record;
begin
    for _function in
        select p.oid, p.oid::regprocedure as signature, p.proname, p.proowner,
               exists (select 1 from pg_trigger t where t.tgfoid = p.oid) as is_used
          from unnest('{json,urlenc,sql}'::text[]) f(format)
         cross join lateral (select format('capture_%s_%s', f.format, i_table) as name) c
          -- the range is for the index: all tables' functions are there
          join pg_proc p on p.proname >= c.name::name and p.proname < (c.name || '`')::name
         where p.pronamespace = 'pgq'::regnamespace
           and p.proname ~ ('^' || c.name || '(_\d+)?$')
    loop
        if not _function.is_used then
            perform pgq._capture_drop_function(_function.proname::text);
        elsif _function.proowner <> i_role::regrole then
            execute format('revoke execute on function %s from %I', _function.signature, i_role);
        end if;
    end loop;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;

-- Writes the trigger function.
-- Execute: none
create or replace function pgq._capture_write_function(
    i_name text, i_table oid, i_format text, i_args text[], i_has_set boolean)
returns void as $$
begin
    if not exists (select 1 from pgq.queue q where q.queue_name = i_args[1]) then
        raise exception 'No such event queue';
    end if;
    execute format('create or replace function pgq.%I() returns trigger language plpgsql %s %s as %L', i_name,
                   case when (select o_expressions from pgq._capture_arguments(i_args[2:])) = '{}'
                        then 'security definer' else 'security invoker' end,
                   pgq._capture_settings(i_table, i_format),
                   pgq._capture_row_function(i_name, i_table, i_format, i_args, i_has_set));
    execute format('revoke all on function pgq.%I() from public', i_name);
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;

-- Drops a capture function that no trigger uses any more, with what belongs to it.
-- Execute: none
create or replace function pgq._capture_drop_function(i_name text)
returns void as $$
begin
    execute format('drop function pgq.%I()', i_name);
    if to_regproc(format('pgq.%I', i_name || '_by_row')) is not null then
        execute format('drop function pgq.%I()', i_name || '_by_row');
    end if;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;
