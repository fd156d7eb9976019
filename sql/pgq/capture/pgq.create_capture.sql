-- Captures the changes of a table into a queue through a trigger function generated for that very table. The events are
-- those of pgq.jsontriga, pgq.logutriga or pgq.sqltriga with the same arguments, but a change of the key is logged as
-- DELETE and INSERT instead of being refused.
--
-- The generated code notices by itself when the table is altered; it is renewed by the first change afterwards, or by
-- pgq.refresh_captures(). May be called again to change anything.
--
-- Parameters:
--   i_table          the table
--   i_trigger_name   name of the row trigger. Others that are needed are called <name>_truncate and so on, with the
--                    name cut so that all fit into 63 bytes
--   i_queue          the queue
--   i_format         json (as pgq.jsontriga), url (pgq.logutriga), sql (pgq.sqltriga)
--   i_args           trigger arguments as the trigger functions take them: ignore=, pkey=, backup, deny, ev_extra1= ...
--   i_events         letters: I insert, U update, D delete, T truncate
-- Returns: `row`: a row trigger captures
-- Errors: `No such event queue`, `bad param to pgq trigger`
-- Needs: ownership of the table, membership in pgq_writer
-- Locks: the table in SHARE ROW EXCLUSIVE mode, as creating any trigger does
-- Execute: pgq_writer
create or replace function pgq.create_capture(
    i_table regclass, i_trigger_name text, i_queue text, i_format text default 'json',
    i_args text[] default '{}', i_events text default 'IUDT')
returns text as $$
declare
    _function text;
    _events text := concat_ws(' or ', case when i_events ~* 'I' then 'insert' end, case when i_events ~* 'U' then 'update' end,
                              case when i_events ~* 'D' then 'delete' end);
    _arguments text := (select string_agg(quote_literal(a), ', ' order by n)
                          from unnest(i_queue || i_args) with ordinality u(a, n));
begin
    execute format('lock table only %s in share row exclusive mode', i_table);
    if _events <> '' then
        _function := pgq._install_capture(i_table, i_format, i_queue || i_args, current_user);
        execute format('create or replace trigger %I after %s on %s for each row execute function pgq.%I(%s)',
                       i_trigger_name, _events, i_table, _function, _arguments);
    end if;
    if i_events ~* 'T' then
        execute format('create or replace trigger %I after truncate on %s for each statement execute function pgq.%I(%s)',
                       pgq._capture_trigger_name(i_trigger_name, '_truncate'), i_table,
                       case i_format when 'json' then 'jsontriga' when 'url' then 'logutriga' else 'sqltriga' end,
                       concat_ws(', ', quote_literal(i_queue), case when 'deny' = any (i_args) then '''deny''' end));
    end if;
    perform pgq._settle_captures(i_table, current_user);
    return 'row';
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;

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
$$ language plpgsql immutable set search_path = pg_catalog, pg_temp;
