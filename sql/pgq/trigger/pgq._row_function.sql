-- The compiled form of a row trigger: a function written for one table and one list of trigger arguments, which
-- the trigger functions call instead of looking into the catalogs. It is written by the first change that needs it,
-- and written anew by the first one that finds it stale (see pgq._capture_shape).

-- Name of the function, without schema. Digests may collide: the function compares the arguments with its own.
-- Execute: public
create or replace function pgq._row_function_name(i_format text, i_table oid, i_args text[])
returns text as $$
begin
    return pg_catalog.concat('row_', i_format, '_', i_table, '_',
        pg_catalog.to_hex(pg_catalog.hashtextextended(pg_catalog.array_to_string(i_args, ','), 0)));
end;
$$ language plpgsql immutable;

-- Writes the function. Runs inside a change of the table: there nothing may fail and nothing may wait, therefore
-- somebody else who does the same just now, and any error, mean "not now".
--
-- Parameters: i_format (json, urlenc, sql, kinds), i_table, i_args (queue, trigger arguments). A row trigger with them
--   has to exist: the owner of the table decides what its triggers execute, nobody else.
-- Returns: was it written?
-- Execute: public
create or replace function pgq._compile_row_function(i_format text, i_table oid, i_args text[])
returns boolean as $$
declare
    _name text := pgq._row_function_name(i_format, i_table, i_args);
begin
    if not pg_try_advisory_xact_lock(hashtext('pgq.row'), hashtext(_name)) then
        return false;
    end if;
    perform 1
       from pg_trigger t
       join pg_class c on c.oid = t.tgrelid and c.relpersistence <> 't'
      where t.tgrelid = i_table
        and t.tgfoid = to_regproc(format('pgq.%s', pgq._trigger_function_name(i_format)))
        and pgq._trigger_arguments(t.tgargs) = i_args;
    if not found then
        return false;
    end if;
    execute format('create or replace function pgq.%I(i_operation text, i_args text[], i_schema text, '
                   'i_new anyelement, i_old anyelement) returns boolean language plpgsql as %L',
                   _name, pgq._row_function_body(i_format, i_table, i_args));
    execute format('grant execute on function pgq.%I to public', _name);
    return true;
exception when others then
    return false;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;

-- Name of the trigger function of a format.
-- Execute: none
create or replace function pgq._trigger_function_name(i_format text)
returns text as $$
    select case i_format when 'json' then 'jsontriga' when 'urlenc' then 'logutriga' when 'sql' then 'sqltriga'
                         when 'kinds' then 'logtriga' end;
$$ language sql immutable;

-- Body of the function. It returns false, having done nothing, when it does not fit.
-- Execute: none
create or replace function pgq._row_function_body(i_format text, i_table oid, i_args text[])
returns text as $$
begin
    return format($body$
#variable_conflict use_column
declare
    _type pg_catalog.text;
    _data pg_catalog.text;
    _extra1 pg_catalog.text;
    _extra2 pg_catalog.text;
    _extra3 pg_catalog.text;
    _extra4 pg_catalog.text;
    _override pg_catalog.record;
begin
if pgq._capture_shape(%L::pg_catalog.regclass) operator(pg_catalog.<>) %L
or i_schema operator(pg_catalog.<>) %L or i_args operator(pg_catalog.<>) %L then
return false;
end if;
%sperform pgq.insert_event(%L::pg_catalog.text, _type, _data, _extra1, _extra2, _extra3, _extra4);
return true;
end;
$body$,
        i_table, pgq._capture_shape(i_table),
        (select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = i_table), i_args,
        pgq._capture_branches(pgq._capture_plans(i_table, i_format, i_args, 'BEFORE', 'i_new.', 'i_old.'),
                              'i_operation', 'return true;', null, '{}'),
        i_args[1]);
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;
