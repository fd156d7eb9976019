-- SQL text of an expression that renders one whole row, for generated capture code.
--
-- Parameters:
--   i_format   urlenc: col=value&null_col | json: {"col":value,...} | sql: (col,col) values ('v',null)
--   i_table, i_ignore   the table, and the names of columns that are left out
--   i_row      prefix of a column reference: `new.`, `($1).`
-- Execute: none
create or replace function pgq._capture_row_text(i_format text, i_table oid, i_ignore text[], i_row text)
returns text as $$
declare
    _column record;
    _value text;
    _separator text := '';
    _identifiers text := '';
    _pieces text[] := '{}';
begin
    for _column in
        select * from pgq._capture_columns(i_table, i_ignore, null) where not (o_is_ignored or o_is_magic)
    loop
        _value := pgq._capture_reference(i_row, _column.o_name);
        if i_format = 'urlenc' then
            _pieces := _pieces || quote_literal(_separator || pgq._urlencode(_column.o_name))
                               || pgq._capture_value_url(_column.o_type, _value);
            _separator := '&';
        elsif i_format = 'json' then
            _pieces := _pieces || quote_literal(_separator || to_json(_column.o_name)::text || ':')
                               || pgq._capture_value_json(_column.o_type, _value);
            _separator := ',';
        else
            _identifiers := _identifiers || _separator || quote_ident(_column.o_name);
            _pieces := _pieces || quote_literal(_separator)
                               || format('coalesce(pg_catalog.quote_literal(%s), ''null'')',
                                         pgq._capture_value_text(_column.o_type, _value));
            _separator := ',';
        end if;
    end loop;
    if i_format = 'json' then
        _pieces := quote_literal('{') || _pieces || quote_literal('}');
    elsif i_format = 'sql' then
        _pieces := quote_literal('(' || _identifiers || ') values (') || _pieces || quote_literal(')');
    end if;
    return pgq._capture_concat(_pieces);
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- SQL text of the concatenation of some text expressions. One call takes at most a hundred arguments, therefore nested.
-- Execute: none
create or replace function pgq._capture_concat(i_pieces text[])
returns text as $$
declare
    _chunks text[] := '{}';
begin
    while cardinality(i_pieces) > 80 loop
        _chunks := array(
            select format('pg_catalog.concat(%s)', string_agg(p.piece, ', ' order by p.n))
              from unnest(i_pieces) with ordinality p(piece, n)
             group by (p.n - 1) / 80
             order by (p.n - 1) / 80);
        i_pieces := _chunks;
    end loop;
    return format('pg_catalog.concat(%s)', coalesce(nullif(array_to_string(i_pieces, ', '), ''), ''''''));
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- SQL text of a column reference. Always quoted: `new.by` is a syntax error in PL/pgSQL, whose keywords quote_ident()
-- does not know.
-- Execute: none
create or replace function pgq._capture_reference(i_row text, i_column text)
returns text as $$
begin
    return concat(i_row, '"', replace(i_column, '"', '""'), '"');
end;
$$ language plpgsql immutable set search_path = pg_catalog, pg_temp;
