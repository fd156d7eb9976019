-- Captures the changes of a table into a queue through a trigger function generated for that very table. The events are
-- those of pgq.jsontriga, pgq.logutriga or pgq.sqltriga with the same arguments, but a change of the key is logged as
-- DELETE and INSERT instead of being refused.
--
-- The row form logs each row. The set form logs a statement at once, which is several times faster for many rows; it
-- exists for plain tables with a primary key, JSON or url encoding, and no arguments but literal ev_...='...'. With it the
-- row trigger is still there and takes over by itself whenever the set form would be wrong (see pgq._capture_is_set_safe).
-- The generated code notices when the table is altered; it is renewed by the first change afterwards, or by
-- pgq.refresh_captures(). May be called again; a call that changes nothing takes no lock.
--
-- Parameters:
--   i_table          the table
--   i_trigger_name   name of the row trigger. Others are called <name>_insert, _update, _delete, _begin, _truncate, with
--                    the name cut so that they fit into 63 bytes
--   i_queue          the queue
--   i_format         json (as pgq.jsontriga), urlenc (pgq.logutriga), sql (pgq.sqltriga)
--   i_args           trigger arguments as the trigger functions take them: ignore=, pkey=, backup, deny, ev_extra1= ...
--   i_events         letters: I insert, U update, D delete, T truncate
--   i_form           auto: set form where the table and the arguments allow it; row; set: an error where they do not
-- Returns: form that was installed, `row` or `set`
-- Errors: `No such event queue`; `bad param to pgq trigger`; `SKIP does not work in AFTER trigger.`;
--   `set form is not possible for table %`; `unknown capture format: %`; `unknown capture form: %`
-- Needs: ownership of the table, membership in pgq_writer
-- Locks: the table in SHARE ROW EXCLUSIVE mode, as creating any trigger does
-- Execute: pgq_writer
create or replace function pgq.create_capture(
    i_table regclass, i_trigger_name text, i_queue text, i_format text default 'json',
    i_args text[] default '{}', i_events text default 'IUDT', i_form text default 'auto')
returns text as $$
declare
    _args text[] := i_queue || i_args;
    _is_set boolean;
    _function text;
    _trigger record;
begin
    if i_format not in ('json', 'urlenc', 'sql') then
        raise exception 'unknown capture format: %', i_format;
    elsif i_form not in ('auto', 'row', 'set') then
        raise exception 'unknown capture form: %', i_form;
    elsif (select a.o_skip from pgq._capture_arguments(i_args) a) then
        raise exception 'SKIP does not work in AFTER trigger.';
    end if;
    _is_set := i_form <> 'row' and i_events ~* '[IUD]' and pgq._capture_fits_set(i_table, i_format, _args);
    if i_form = 'set' and not _is_set then
        raise exception 'set form is not possible for table %', i_table
              using hint = 'The set form needs an ordinary table and no arguments that filter or rewrite rows.';
    end if;
    if pgq._capture_is_in_place(i_table, i_trigger_name, i_format, _args, i_events, _is_set) then
        perform pgq._capture_renew(p.proname::text)
           from (select distinct t.tgfoid from pgq._capture_present(i_table, i_trigger_name) t) t
           join pg_proc p on p.oid = t.tgfoid;
        return case when _is_set then 'set' else 'row' end;
    end if;

    execute format('lock table only %s in share row exclusive mode', i_table);
    _function := pgq._install_capture(i_table, i_format, _args, _is_set, current_user);
    for _trigger in
        select * from pgq._capture_triggers(i_trigger_name, i_format, _args, i_events, _is_set)
    loop
        execute format('create or replace trigger %I %s on %s %s execute function pgq.%I(%s)',
                       _trigger.o_name, _trigger.o_timing, i_table,
                       replace(_trigger.o_each, '$by_row$', quote_ident(_function || '_by_row')),
                       coalesce(_trigger.o_function, _function),
                       (select string_agg(quote_literal(a), ', ' order by n)
                          from unnest(_trigger.o_args) with ordinality u(a, n)));
    end loop;
    for _trigger in
        select t.tgname
          from pgq._capture_present(i_table, i_trigger_name) t
         where not exists (select 1 from pgq._capture_triggers(i_trigger_name, i_format, _args, i_events, _is_set) w
                            where w.o_name = t.tgname)
    loop
        execute format('drop trigger %I on %s', _trigger.tgname, i_table);
    end loop;
    perform pgq._settle_captures(i_table, current_user);
    return case when _is_set then 'set' else 'row' end;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;

-- The triggers that make up a capture. o_function is NULL where it is the generated one.
-- Execute: pgq_writer
create or replace function pgq._capture_triggers(
    in i_name text, in i_format text, in i_args text[], in i_events text, in i_is_set boolean,
    out o_name text, out o_timing text, out o_each text, out o_function text, out o_args text[])
returns setof record as $$
declare
    _letters text := regexp_replace(upper(i_events), '[^IUD]', '', 'g');
    _operation text;
begin
    o_args := i_args;
    if _letters <> '' then
        o_name := i_name;
        o_timing := 'after ' || (select string_agg(w, ' or ') from unnest('{insert,update,delete}'::text[]) w
                                  where strpos(_letters, upper(left(w, 1))) > 0);
        o_each := 'for each row' || case when i_is_set then ' when (pgq.$by_row$())' else '' end;
        return next;
    end if;
    if i_is_set then
        for _operation, o_each in
            select w.operation, w.tables || ' for each statement'
              from (values ('insert', 'referencing new table as new_rows'),
                           ('update', 'referencing old table as old_rows new table as new_rows'),
                           ('delete', 'referencing old table as old_rows')) w(operation, tables)
             where strpos(_letters, upper(left(w.operation, 1))) > 0
        loop
            o_name := pgq._capture_trigger_name(i_name, '_' || _operation);
            o_timing := 'after ' || _operation;
            return next;
        end loop;
        if _letters ~ '[UD]' then
            o_name := pgq._capture_trigger_name(i_name, '_begin');
            o_timing := 'before ' || concat_ws(' or ', case when _letters ~ 'U' then 'update' end,
                                               case when _letters ~ 'D' then 'delete' end);
            o_each := 'for each statement';
            return next;
        end if;
    end if;
    if i_events ~* 'T' then
        o_name := pgq._capture_trigger_name(i_name, '_truncate');
        o_timing := 'after truncate';
        o_each := 'for each statement';
        o_function := case i_format when 'json' then 'jsontriga' when 'urlenc' then 'logutriga' else 'sqltriga' end;
        -- a TRUNCATE has no rows to filter or compute with
        o_args := i_args[1:1] || array(select a from unnest(i_args[2:]) with ordinality u(a, n)
                                        where a = 'deny'
                                           or a ~ '^ev_extra[1-4]=[ \t\n\r\f]*''([^''\\]|'''')*''[ \t\n\r\f]*$' order by n);
        return next;
    end if;
end;
$$ language plpgsql immutable set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;

-- A trigger's name with a suffix, cut so that it fits.
-- Execute: public
create or replace function pgq._capture_trigger_name(i_name text, i_suffix text)
returns text as $$
begin
    while octet_length(i_name || i_suffix) > 63 loop
        i_name := left(i_name, -1);
    end loop;
    return i_name || i_suffix;
end;
$$ language plpgsql immutable set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;

-- The triggers of a table that belong to a capture of this name.
-- Execute: pgq_writer
create or replace function pgq._capture_present(i_table regclass, i_name text)
returns setof pg_catalog.pg_trigger as $$
    select t.*
      from pg_trigger t
      join pg_proc p on p.oid = t.tgfoid
     where t.tgrelid = i_table
       and t.tgparentid = 0
       and p.pronamespace = 'pgq'::regnamespace
       and (p.proname ~ '^capture_(json|urlenc|sql)_\d+(_\d+)?$'
            and (t.tgname = i_name
                 or t.tgname in (select pgq._capture_trigger_name(i_name, s)
                                   from unnest('{_insert,_update,_delete,_begin}'::text[]) s))
            or p.proname in ('jsontriga', 'logutriga', 'sqltriga')
               and t.tgname = pgq._capture_trigger_name(i_name, '_truncate'));
$$ language sql stable set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;

-- Is the capture as wanted already?
-- Execute: pgq_writer
create or replace function pgq._capture_is_in_place(
    i_table regclass, i_name text, i_format text, i_args text[], i_events text, i_is_set boolean)
returns boolean as $$
begin
    return not exists (
        select 1
          from pgq._capture_triggers(i_name, i_format, i_args, i_events, i_is_set) w
          full join (select p.proname, t.tgname, pgq._trigger_arguments(t.tgargs) as args, t.tgqual is not null as has_when,
                            concat_ws(' ', case when t.tgtype::integer & 2 = 2 then 'before' else 'after' end,
                                      concat_ws(' or ', case when t.tgtype::integer & 4 <> 0 then 'insert' end,
                                                case when t.tgtype::integer & 16 <> 0 then 'update' end,
                                                case when t.tgtype::integer & 8 <> 0 then 'delete' end,
                                                case when t.tgtype::integer & 32 <> 0 then 'truncate' end)) as timing
                       from pgq._capture_present(i_table, i_name) t
                       join pg_proc p on p.oid = t.tgfoid) t
            on t.tgname = w.o_name and t.args = w.o_args and t.timing = w.o_timing
           and t.has_when = (w.o_each ~ 'when')
           and case when w.o_function is null then t.proname ~ concat('^capture_', i_format, '_', i_table::oid, '(_|$)')
                    else t.proname = w.o_function end
         where t.tgname is null or w.o_name is null);
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;
