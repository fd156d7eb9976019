-- What the trigger functions do when they fire for a statement: log a TRUNCATE, refuse anything else.
--
-- Parameters: i_format (json, urlenc, sql), i_table, i_args (queue, trigger arguments), i_timing (BEFORE, AFTER), i_operation
-- Of the trigger arguments only SKIP (BEFORE, without effect), deny, and ev_...='literal' make sense here.
-- Errors: `.. does not make sense for truncate trigger`, the deny message, those of pgq._capture_arguments
-- Calls: pgq.insert_event, with the caller's rights
-- Execute: public
create or replace function pgq._log_statement(i_format text, i_table oid, i_args text[], i_timing text, i_operation text)
returns void as $$
declare
    _a record;
    _schema text;
    _name text;
    _keys text[];
    _type text := 'R';
    _data text := '';
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
    if _a.o_skip and i_timing operator(pg_catalog.=) 'AFTER' then
        raise exception 'SKIP does not work in AFTER trigger.';
    elsif _a.o_deny then
        raise exception 'Table ''%.%'' to queue ''%'': change not allowed (TRUNCATE)', _schema, _name, i_args[1];
    end if;
    if i_format operator(pg_catalog.=) 'json' then
        _keys := array(select c.o_name from pgq._capture_columns(i_table, '{}', null) c
                        where c.o_key_position is not null order by c.o_key_position);
        _type := pgq._capture_json_type('TRUNCATE', _schema, _name, _keys);
        _data := '{}';
    end if;
    execute pg_catalog.format(
        'select pgq.insert_event($1, %s, %s, %s, %s, %s, %s)',
        coalesce(_a.o_constants operator(pg_catalog.->>) 'type', pg_catalog.quote_literal(_type)),
        coalesce(_a.o_constants operator(pg_catalog.->>) 'data', pg_catalog.quote_literal(_data)),
        coalesce(_a.o_constants operator(pg_catalog.->>) 'extra1',
                 pg_catalog.quote_literal(pg_catalog.concat(_schema, '.', _name))),
        coalesce(_a.o_constants operator(pg_catalog.->>) 'extra2', 'null'),
        coalesce(_a.o_constants operator(pg_catalog.->>) 'extra3', 'null'),
        coalesce(_a.o_constants operator(pg_catalog.->>) 'extra4', 'null'))
      using i_args[1];
end;
$$ language plpgsql;
