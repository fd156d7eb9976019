-- Logs changes of a table into a queue, as partial SQL.
--
-- create trigger NAME after insert or update or delete on TABLE for each row
--     execute function pgq.sqltriga('QUEUE' [, ARGUMENT ...])
-- create trigger NAME after truncate on TABLE for each statement execute function pgq.sqltriga('QUEUE' [, 'deny'])
--
-- ev_type is I, U, D, or R for TRUNCATE; ev_data is `(a,b) values ('1',null)`, `b='x' where a='1'` or `a='1'`;
-- ev_extra1 schema.table.
--
-- Arguments, in any order:
--   SKIP              BEFORE trigger: suppress the operation itself
--   ignore=a,b        columns that are neither logged nor count as a change
--   pkey=a,b          the key columns, instead of the primary key
--   backup            UPDATE: store the old row in ev_extra2
--   deny              refuse every change
--   when=EXPR         log only if true
--   ev_type=EXPR, ev_data=EXPR, ev_extra1=EXPR .. ev_extra4=EXPR   the field's value, over the columns of the row
-- Columns _pgq_ev_type, _pgq_ev_data, _pgq_ev_extra1 .. _pgq_ev_extra4 are not logged but override the field.
-- In session_replication_role `local` it does nothing.
--
-- Errors: pgq trigger must have destination queue as argument; bad param to pgq trigger; pgq Ins/Upd/Del trigger must
--   be fired FOR EACH ROW; Update/Delete on table without pkey; primary key update not allowed; SKIP does not work in
--   AFTER trigger.; Table '..' to queue '..': change not allowed (OP)
-- Needs: EXECUTE on pgq.insert_event for whoever changes the table
-- Execute: pgq_writer
create or replace function pgq.sqltriga()
returns trigger as $$
declare
    _args pg_catalog.text[] := coalesce(tg_argv[:], '{}');
    _function pg_catalog.text;
    _is_logged pg_catalog.bool := false;
begin
    if pg_catalog.current_setting('session_replication_role') operator(pg_catalog.<>) 'local' then
        if tg_level operator(pg_catalog.<>) 'ROW' then
            perform pgq._log_statement('sql', tg_relid, _args, tg_when, tg_op);
            return null;
        elsif tg_nargs operator(pg_catalog.=) 0 then
            raise exception 'pgq trigger must have destination queue as argument';
        end if;
        -- with OLD and NEW of one type, so that the function can tell what it is
        if tg_op operator(pg_catalog.=) 'INSERT' then
            old := new;
        elsif tg_op operator(pg_catalog.=) 'DELETE' then
            new := old;
        end if;
        _function := pgq._row_function_name('sql', tg_relid, _args);
        if pg_catalog.to_regproc('pgq.' operator(pg_catalog.||) _function) is not null then
            execute 'select pgq.' operator(pg_catalog.||) _function operator(pg_catalog.||) '($1, $2, $3, $4, $5)'
               into _is_logged using tg_op, _args, tg_table_schema::pg_catalog.text, new, old;
        end if;
        if not _is_logged then
            perform pgq._compile_row_function('sql', tg_relid, _args);
            perform pgq._capture_row('sql', tg_relid, _args, tg_when, tg_op, new, old, false);
        end if;
        if 'SKIP' operator(pg_catalog.=) any (_args[2:]) then
            return null;
        end if;
    end if;
    if tg_op operator(pg_catalog.=) 'DELETE' then
        return old;
    end if;
    return new;
end;
$$ language plpgsql;
