-- SQL text of everything a capture trigger puts into an event of one operation. Generated functions have it baked in,
-- the uncompiled path executes it.
--
-- Parameters:
--   i_table      the table
--   i_format     urlenc, sql, json; kinds: arguments of pgq.logtriga
--   i_args       trigger arguments: the queue's name, then those of pgq._capture_arguments
--   i_timing     BEFORE, AFTER, INSTEAD OF
--   i_operation  INSERT, UPDATE, DELETE
--   i_new, i_old prefixes of a column reference: `new.`, `($1).`
-- Returns one row:
--   o_error        message to raise instead of anything else
--   o_key_changed  boolean expression, UPDATE: a key column changed
--   o_key_missing  boolean expression, partial SQL: a key column is NULL
--   o_is_silent    boolean expression, UPDATE: only ignored columns changed
--   o_type, o_data, o_extra1 .. o_extra4   text expressions
--   o_event        the last six as a select list, named type, data, extra1 .. extra4
--   o_override     query of one row (o_when_type, o_when, then a column for each field in the order above whose name is
--                  in o_overridden), the expression arguments
-- Errors: `bad param to pgq trigger`
-- Execute: public
create or replace function pgq._capture_expressions(
    in i_table oid, in i_format text, in i_args text[], in i_timing text, in i_operation text,
    in i_new text, in i_old text,
    out o_error text, out o_key_changed text, out o_key_missing text, out o_is_silent text,
    out o_type text, out o_data text, out o_extra1 text, out o_extra2 text, out o_extra3 text, out o_extra4 text,
    out o_event text, out o_override text, out o_overridden text[])
returns record as $$
declare
    _a record;
    _column record;
    _table_name text;
    _schema_name text;
    _keys text[];
    _key_names text[];
    _row text := case i_operation when 'DELETE' then i_old else i_new end;
    _value text;
    _is_compared boolean;
    _differs text;
    _seen_change text[] := '{}';
    _ignored_change text[] := '{}';
    _key_change text[] := '{}';
    _key_null text[] := '{}';
    _assignments text[] := '{}';
    _where text[] := '{}';
begin
    if i_format = 'kinds' then
        select * into _a from pgq._capture_arguments('{}');
        select array_agg(c.o_name order by c.n) filter (where substr(i_args[2], c.n, 1) = 'k'),
               coalesce(array_agg(c.o_name) filter (where substr(i_args[2], c.n, 1) in ('i', '')), '{}')
          into _a.o_pkey, _a.o_ignore
          from (select o_name, (row_number() over ())::integer as n from pgq._capture_columns(i_table, '{}', null)) c;
        if length(rtrim(i_args[2], 'vi')) > (select count(*) from pgq._capture_columns(i_table, '{}', null)) then
            o_error := 'key column does not exist';
        end if;
        _key_names := _a.o_pkey;
        i_format := 'sql';
    else
        select * into _a from pgq._capture_arguments(i_args[2:]);
        _key_names := array(select btrim(k) from unnest(_a.o_pkey) k);
    end if;
    select n.nspname, c.relname
      into strict _schema_name, _table_name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = i_table;
    if _a.o_pkey is null then
        _key_names := array(select c.o_name from pgq._capture_columns(i_table, '{}', null) c
                             where c.o_key_position is not null order by c.o_key_position);
    end if;
    _keys := coalesce(_a.o_pkey, _key_names);

    if o_error is not null then
        null;
    elsif i_operation <> 'INSERT' and _keys = '{}' then
        o_error := 'Update/Delete on table without pkey';
    elsif _a.o_skip and i_timing = 'AFTER' then
        o_error := 'SKIP does not work in AFTER trigger.';
    elsif _a.o_deny then
        o_error := format('Table ''%s.%s'' to queue ''%s'': change not allowed (%s)',
                          _schema_name, _table_name, i_args[1], i_operation);
    end if;

    o_extra1 := quote_literal(_schema_name || '.' || _table_name) || '::pg_catalog.text';
    o_extra2 := 'null::pg_catalog.text';
    o_extra3 := 'null::pg_catalog.text';
    o_extra4 := 'null::pg_catalog.text';
    o_type := quote_literal(case i_format
        when 'json' then pgq._capture_json_type(i_operation, _schema_name, _table_name, _keys)
        when 'urlenc' then left(i_operation, 1) || ':' || array_to_string(_keys, ',')
        else left(i_operation, 1) end) || '::pg_catalog.text';
    if i_format <> 'sql' or i_operation = 'INSERT' then
        o_data := pgq._capture_row_text(i_format, i_table, _a.o_ignore, _row);
    end if;

    for _column in select * from pgq._capture_columns(i_table, _a.o_ignore, _key_names) loop
        _is_compared := i_operation = 'UPDATE'
            and (i_format = 'sql' or _a.o_ignore <> '{}' or _column.o_key_position is not null);
        if _column.o_is_magic or _is_compared then
            _value := pgq._capture_value_text(_column.o_type, pgq._capture_reference(_row, _column.o_name));
        end if;
        if _column.o_is_magic then
            case _column.o_name
                when '_pgq_ev_type' then o_type := _value;
                when '_pgq_ev_data' then o_data := _value;
                when '_pgq_ev_extra1' then o_extra1 := _value;
                when '_pgq_ev_extra2' then o_extra2 := _value;
                when '_pgq_ev_extra3' then o_extra3 := _value;
                when '_pgq_ev_extra4' then o_extra4 := _value;
                else o_error := coalesce(o_error, 'Unknown magic column: ' || _column.o_name);
            end case;
        end if;
        if _is_compared then
            _differs := pgq._capture_value_differs(_column.o_type, pgq._capture_reference(i_old, _column.o_name),
                                                   pgq._capture_reference(i_new, _column.o_name));
            if _column.o_is_ignored or (_column.o_is_magic and i_format = 'sql') then
                _ignored_change := _ignored_change || _differs;
            else
                _seen_change := _seen_change || _differs;
                _assignments := _assignments || format(
                    'case when %s then pg_catalog.concat(%L, coalesce(pg_catalog.quote_literal(%s), ''NULL'')) end',
                    _differs, ',' || quote_ident(_column.o_name) || '=', _value);
            end if;
        end if;
        if _column.o_key_position is not null then
            _value := pgq._capture_reference(i_old, _column.o_name);
            if i_operation = 'UPDATE' then
                _key_change := _key_change || _differs;
            end if;
            _key_null := _key_null || format('%s is null', pgq._capture_value_text(_column.o_type, _value));
            _where := _where || format('pg_catalog.concat(%L, pg_catalog.quote_literal(%s))',
                                       quote_ident(_column.o_name) || '=',
                                       pgq._capture_value_text(_column.o_type, _value));
        end if;
    end loop;

    o_key_changed := nullif(array_to_string(_key_change, ' or '), '');
    if _ignored_change <> '{}' then
        o_is_silent := format('(%s) and not (%s)', array_to_string(_ignored_change, ' or '),
                              coalesce(nullif(array_to_string(_seen_change, ' or '), ''), 'false'));
    end if;
    if i_format = 'sql' and i_operation <> 'INSERT' and _where = '{}' then
        o_error := coalesce(o_error, 'pkey= names no column of the table');
    elsif i_format = 'sql' and i_operation <> 'INSERT' then
        o_key_missing := array_to_string(_key_null, ' or ');
        if o_data is null then
            o_data := array_to_string(_where, ' operator(pg_catalog.||) '' and '' operator(pg_catalog.||) ');
            if i_operation = 'UPDATE' then
                o_data := format('pg_catalog.concat(case when %s then pg_catalog.substr(%s, 2) else %s end, '
                                 ''' where '', %s)',
                                 coalesce(nullif(array_to_string(_seen_change, ' or '), ''), 'false'),
                                 pgq._capture_concat(_assignments), _where[1], o_data);
            end if;
        end if;
    end if;
    if _a.o_backup and i_operation = 'UPDATE' then
        o_extra2 := pgq._capture_row_text(case i_format when 'json' then 'json' else 'urlenc' end,
                                          i_table, _a.o_ignore, i_old);
    end if;
    o_type := coalesce((_a.o_constants ->> 'type') || '::pg_catalog.text', o_type);
    o_data := coalesce((_a.o_constants ->> 'data') || '::pg_catalog.text', o_data);
    o_extra1 := coalesce((_a.o_constants ->> 'extra1') || '::pg_catalog.text', o_extra1);
    o_extra2 := coalesce((_a.o_constants ->> 'extra2') || '::pg_catalog.text', o_extra2);
    o_extra3 := coalesce((_a.o_constants ->> 'extra3') || '::pg_catalog.text', o_extra3);
    o_extra4 := coalesce((_a.o_constants ->> 'extra4') || '::pg_catalog.text', o_extra4);
    o_event := format('%s as type, %s as data, %s as extra1, %s as extra2, %s as extra3, %s as extra4',
                      o_type, o_data, o_extra1, o_extra2, o_extra3, o_extra4);
    select q.o_query, q.o_fields into o_override, o_overridden
      from pgq._capture_override_query(i_table, _a.o_expressions, _row) q;
end;
$$ language plpgsql stable security definer set search_path = pg_catalog, pg_temp;

-- The expressions of all operations, made once for whoever needs them several times: an object of INSERT, UPDATE and DELETE,
-- each an object of what pgq._capture_expressions returns.
-- Execute: none
create or replace function pgq._capture_plans(
    i_table oid, i_format text, i_args text[], i_timing text, i_new text, i_old text)
returns jsonb as $$
begin
    return (
        select jsonb_object_agg(o.operation, to_jsonb(x))
          from unnest('{INSERT,UPDATE,DELETE}'::text[]) o(operation)
         cross join lateral pgq._capture_expressions(i_table, i_format, i_args, i_timing, o.operation, i_new, i_old) x);
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- Event type of JSON format.
-- Execute: public
create or replace function pgq._capture_json_type(i_operation text, i_schema text, i_table text, i_keys text[])
returns text as $$
    select format('{"op":%s,"table":[%s,%s],"pkey":[%s]}', to_json(i_operation), to_json(i_schema), to_json(i_table),
                  (select string_agg(to_json(k)::text, ',' order by n) from unnest(i_keys) with ordinality u(k, n)));
$$ language sql stable set search_path = pg_catalog, pg_temp;

-- Query over the expression arguments: one row, o_when_type and o_when (NULL without when=), then the fields as text.
-- The columns of the row are in scope under their plain names. NULL when there is no expression.
-- Execute: none
create or replace function pgq._capture_override_query(
    in i_table oid, in i_expressions jsonb, in i_row text, out o_query text, out o_fields text[])
returns record as $$
declare
    _names text[] := array(select k from jsonb_object_keys(i_expressions) k order by k);
begin
    if _names = '{}' then
        return;
    end if;
    o_fields := array(select n from unnest(_names) n where n <> 'when');
    select format('select %s%s from (select %s from (select %s) as r offset 0) as x',
                  case when i_expressions ? 'when'
                       then 'pg_catalog.pg_typeof(x."when")::pg_catalog.oid as o_when_type, '
                            'pg_catalog.format(''%s'', x."when") as o_when'
                       else 'null::pg_catalog.oid as o_when_type, null::pg_catalog.text as o_when' end,
                  (select string_agg(format(', case when pg_catalog.num_nulls(x.%1$I) operator(pg_catalog.=) 0 '
                                            'then pg_catalog.format(''%%s'', x.%1$I) end as %1$I', n), '' order by n)
                     from unnest(o_fields) n),
                  (select string_agg(format(E'(%s\n) as %I', i_expressions ->> n, n), ', ' order by n)
                     from unnest(_names) n),
                  string_agg(format('%s as %I', pgq._capture_reference(i_row, c.o_name), c.o_name), ', '
                             order by c.ordinality))
      into o_query
      from (select o_name, row_number() over () as ordinality from pgq._capture_columns(i_table, '{}', null)) c;
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;
