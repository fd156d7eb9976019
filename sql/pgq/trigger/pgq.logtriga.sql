-- Logs changes of a table into a queue as partial SQL, as Skytools 2 did; new triggers use pgq.sqltriga.
--
-- create trigger NAME after insert or update or delete on TABLE for each row
--     execute function pgq.logtriga('QUEUE', 'KINDS' [, 'NAME'])
--
-- Arguments: KINDS has a letter for each column: k key, i ignore, others value; columns beyond it are ignored. The third has
-- no effect. ev_type is I, U or D; ev_data as pgq.sqltriga; ev_extra1 schema.table.
-- In session_replication_role `local` it does nothing.
--
-- Errors: pgq.logtriga must be fired AFTER; pgq.logtriga must be used with 2 or 3 args; need at least one key column;
--   key column does not exist; primary key update not allowed; logtriga: Unexpected NULL key value
-- Needs: EXECUTE on pgq.insert_event for whoever changes the table
-- Execute: pgq_writer
create or replace function pgq.logtriga()
returns trigger as $$
declare
    _args pg_catalog.text[] := coalesce(tg_argv[:], '{}');
    _function pg_catalog.text;
    _is_logged pg_catalog.bool := false;
begin
    if pg_catalog.current_setting('session_replication_role') operator(pg_catalog.=) 'local' then
        return null;
    elsif tg_when operator(pg_catalog.<>) 'AFTER' then
        raise exception 'pgq.logtriga must be fired AFTER';
    elsif tg_nargs operator(pg_catalog.<>) all ('{2,3}') then
        raise exception 'pgq.logtriga must be used with 2 or 3 args';
    elsif tg_level operator(pg_catalog.<>) 'ROW' then
        perform pgq._log_statement('sql', tg_relid, _args[1:1], tg_when, tg_op);
        return null;
    elsif pg_catalog.strpos(_args[2], 'k') operator(pg_catalog.=) 0 then
        raise exception 'need at least one key column';
    end if;
    if tg_op operator(pg_catalog.=) 'INSERT' then
        old := new;
    elsif tg_op operator(pg_catalog.=) 'DELETE' then
        new := old;
    end if;
    _function := pgq._row_function_name('kinds', tg_relid, _args);
    if pg_catalog.to_regproc('pgq.' operator(pg_catalog.||) _function) is not null then
        execute 'select pgq.' operator(pg_catalog.||) _function operator(pg_catalog.||) '($1, $2, $3, $4, $5)'
           into _is_logged using tg_op, _args, tg_table_schema::pg_catalog.text, new, old;
    end if;
    if not _is_logged then
        perform pgq._compile_row_function('kinds', tg_relid, _args);
        perform pgq._capture_row('kinds', tg_relid, _args, tg_when, tg_op, new, old, false);
    end if;
    return null;
end;
$$ language plpgsql;
