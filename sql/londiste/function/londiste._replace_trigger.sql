-- Makes one trigger of a queue as wanted; our other ones for the same purpose go.
--
-- Parameters:
--   i_function - the trigger function, or pgq.create_capture for a trigger that is generated, which may take several triggers
-- Calls: londiste._queue_triggers, londiste._is_own_trigger, londiste._drop_trigger, pgq.create_capture
-- Execute: londiste_writer
create or replace function londiste._replace_trigger(
    i_queue_name text,
    i_table oid,
    i_is_truncate boolean,
    i_trigger_name text,
    i_when text,
    i_function text,
    i_arguments text[])
returns void as $$
declare
    _present record;
    _is_generated boolean := i_function = 'pgq.create_capture';
    _event_bits int4;
    _is_in_place boolean := false;
begin
    -- as in pg_trigger.tgtype
    _event_bits := case when i_is_truncate then 32 else 1 end
        | case when i_when like 'before %' then 2 else 0 end
        | case when i_when like '%insert%' then 4 else 0 end
        | case when i_when like '%delete%' then 8 else 0 end
        | case when i_when like '%update%' then 16 else 0 end;

    for _present in
        select q.*, q.function_name ~ '^pgq\.capture_' as is_generated
        from londiste._queue_triggers(i_queue_name, i_table) q
        where q.is_truncate = i_is_truncate and londiste._is_own_trigger(q.trigger_name)
    loop
        if _present.trigger_name = i_trigger_name and _present.function_name = i_function
            and _present.event_bits = _event_bits and _present.arguments = i_arguments and _present.is_enabled then
            _is_in_place := true;
        elsif _present.is_generated <> _is_generated
            or (_present.trigger_name <> i_trigger_name and not _is_generated) then
            perform londiste._drop_trigger(i_table, _present.trigger_name);
        end if;
    end loop;

    if _is_generated then
        execute 'select pgq.create_capture($1, $2, $3, i_format => ''json'', i_args => $4, i_events => $5)'
            using i_table::regclass, i_trigger_name, i_queue_name, i_arguments,
                concat(case when i_when like '%insert%' then 'I' end,
                       case when i_when like '%update%' then 'U' end,
                       case when i_when like '%delete%' then 'D' end);
    elsif not _is_in_place then
        execute format('create or replace trigger %I %s on %s for each %s execute function %s(%s)',
            i_trigger_name, i_when, i_table::regclass, case when i_is_truncate then 'statement' else 'row' end,
            i_function,
            (select string_agg(quote_literal(u.argument), ', ' order by u.nr)
             from unnest(i_queue_name || i_arguments) with ordinality u(argument, nr)));
    end if;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
