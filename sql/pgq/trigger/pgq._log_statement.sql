-- What the trigger functions do when they fire for a statement: log a TRUNCATE, refuse anything else.
--
-- Parameters: i_format (json, urlenc, sql), i_table, i_args (queue, trigger arguments), i_operation
-- Errors: those of spec'd trigger arguments, and the deny message
-- Calls: pgq.insert_event, with the caller's rights
-- Execute: public
create or replace function pgq._log_statement(i_format text, i_table oid, i_args text[], i_operation text)
returns void as $$
declare
    _a record;
    _schema text;
    _name text;
    _keys text[];
begin
    if i_operation operator(pg_catalog.<>) 'TRUNCATE' then
        raise exception 'pgq Ins/Upd/Del trigger must be fired FOR EACH ROW';
    elsif i_args operator(pg_catalog.=) '{}' then
        raise exception 'pgq trigger must have destination queue as argument';
    end if;
    select * into _a from pgq._capture_arguments(i_args[2:]);
    if _a.o_ignore operator(pg_catalog.<>) '{}' then
        raise exception 'Column ignore does not make sense for truncate trigger';
    elsif _a.o_pkey is not null then
        raise exception 'Custom pkey_list does not make sense for truncate trigger';
    elsif _a.o_backup then
        raise exception 'Backup does not make sense for truncate trigger';
    elsif _a.o_expressions operator(pg_catalog.<>) '{}' then
        raise exception 'Custom expressions do not make sense for truncater trigger';
    end if;
    select n.nspname, c.relname
      into strict _schema, _name
      from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
     where c.oid operator(pg_catalog.=) i_table;
    if _a.o_deny then
        raise exception 'Table ''%.%'' to queue ''%'': change not allowed (TRUNCATE)', _schema, _name, i_args[1];
    end if;
    if i_format operator(pg_catalog.=) 'json' then
        _keys := array(select c.o_name from pgq._capture_columns(i_table, '{}', null) c
                        where c.o_key_position is not null order by c.o_key_position);
        perform pgq.insert_event(i_args[1], pgq._capture_json_type('TRUNCATE', _schema, _name, _keys), '{}',
                                 pg_catalog.concat(_schema, '.', _name), null, null, null);
    else
        perform pgq.insert_event(i_args[1], 'R', '', pg_catalog.concat(_schema, '.', _name), null, null, null);
    end if;
end;
$$ language plpgsql;
