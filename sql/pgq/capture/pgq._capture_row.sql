-- Logs one row change without compiled code: reads the catalogs, builds the expressions, executes them. Exact at any
-- moment, but slow; it serves until the compiled function of the table is made or renewed.
--
-- Parameters:
--   i_format, i_args, i_timing, i_operation   as in pgq._capture_expressions
--   i_new, i_old   the rows; twice the same row where there is only one
--   i_splits_key_update   log a change of the key as DELETE and INSERT; false: it is an error
-- Errors: those of the trigger functions
-- Calls: pgq.insert_event, with the caller's rights
-- Execute: public
create or replace function pgq._capture_row(
    i_format text, i_table oid, i_args text[], i_timing text, i_operation text,
    i_new anyelement, i_old anyelement, i_splits_key_update boolean)
returns void as $$
declare
    _plan pg_catalog.record;
    _is_set boolean;
    _event pg_catalog.jsonb;
    _override pg_catalog.record;
begin
    select * into _plan
      from pgq._capture_expressions(i_table, i_format, i_args, i_timing, i_operation, '($1).', '($2).');
    if _plan.o_error is not null then
        raise exception using message = _plan.o_error;
    end if;
    if _plan.o_key_changed is not null then
        execute 'select ' operator(pg_catalog.||) _plan.o_key_changed into _is_set using i_new, i_old;
        if _is_set and i_splits_key_update then
            perform pgq._capture_row(i_format, i_table, i_args, i_timing, 'DELETE'::pg_catalog.text, i_old, i_old, false);
            perform pgq._capture_row(i_format, i_table, i_args, i_timing, 'INSERT'::pg_catalog.text, i_new, i_new, false);
            return;
        elsif _is_set then
            raise exception 'primary key update not allowed';
        end if;
    end if;
    if _plan.o_is_silent is not null then
        execute 'select ' operator(pg_catalog.||) _plan.o_is_silent into _is_set using i_new, i_old;
        if _is_set then
            return;
        end if;
    end if;
    if _plan.o_key_missing is not null then
        execute 'select ' operator(pg_catalog.||) _plan.o_key_missing into _is_set using i_new, i_old;
        if _is_set then
            raise exception 'logtriga: Unexpected NULL key value';
        end if;
    end if;
    execute pg_catalog.format('select pg_catalog.to_jsonb(x) from (select %s) x', _plan.o_event)
       into _event using i_new, i_old;
    if _plan.o_override is not null then
        execute _plan.o_override into _override using i_new, i_old;
        if not pgq._capture_when(_override.o_when_type, _override.o_when) then
            return;
        end if;
        _event := _event operator(pg_catalog.||) pg_catalog.to_jsonb(_override);
    end if;
    perform pgq.insert_event(
        i_args[1],
        _event operator(pg_catalog.->>) 'type', _event operator(pg_catalog.->>) 'data',
        _event operator(pg_catalog.->>) 'extra1', _event operator(pg_catalog.->>) 'extra2',
        _event operator(pg_catalog.->>) 'extra3', _event operator(pg_catalog.->>) 'extra4');
end;
$$ language plpgsql;
