-- PL/pgSQL text that computes the event of one row change, for generated functions: checks, then assignments to
-- _type, _data, _extra1 .. _extra4. The function declares these as text and _override as record.
--
-- Parameters:
--   i_plans       see pgq._capture_plans
--   i_operation   SQL text of the operation's name: tg_op
--   i_return      statement that ends the function when there is nothing to log
--   i_key_update  statements for an UPDATE that changes the key, before the assignments of an INSERT; NULL: an error
--   i_constants   fields that need no assignment: extra1 .. extra4
-- Execute: none
create or replace function pgq._capture_branches(
    i_plans jsonb, i_operation text, i_return text, i_key_update text, i_constants text[])
returns text as $$
declare
    _insert text := pgq._capture_branch(i_plans -> 'INSERT', i_return, i_constants);
    _update text := pgq._capture_branch(i_plans -> 'UPDATE', i_return, i_constants);
    _delete text := pgq._capture_branch(i_plans -> 'DELETE', i_return, i_constants);
    _update_plan jsonb := i_plans -> 'UPDATE';
begin
    if _update_plan ->> 'o_error' is null and _update_plan ->> 'o_key_changed' is not null then
        _update := format(E'if %s then\n%selse\n%send if;\n', _update_plan ->> 'o_key_changed',
                          coalesce(i_key_update || _insert, E'raise exception ''primary key update not allowed'';\n'),
                          _update);
    end if;
    return format(E'if %1$s operator(pg_catalog.=) ''INSERT'' then\n%2$s'
                  'elsif %1$s operator(pg_catalog.=) ''UPDATE'' then\n%3$s'
                  'else\n%4$send if;\n', i_operation, _insert, _update, _delete);
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- The branch of one operation, without the key check.
-- Execute: none
create or replace function pgq._capture_branch(i_plan jsonb, i_return text, i_constants text[])
returns text as $$
declare
    _field text;
    _lines text := '';
begin
    if i_plan ->> 'o_error' is not null then
        return format(E'raise exception using message = %L;\n', i_plan ->> 'o_error');
    end if;
    if i_plan ->> 'o_is_silent' is not null then
        _lines := _lines || format(E'if %s then %s end if;\n', i_plan ->> 'o_is_silent', i_return);
    end if;
    if i_plan ->> 'o_key_missing' is not null then
        _lines := _lines || format(E'if %s then raise exception ''logtriga: Unexpected NULL key value''; end if;\n',
                                   i_plan ->> 'o_key_missing');
    end if;
    foreach _field in array '{type,data,extra1,extra2,extra3,extra4}'::text[] loop
        continue when _field = any (i_constants);
        _lines := _lines || format(E'_%s := %s;\n', _field, i_plan ->> ('o_' || _field));
    end loop;
    if i_plan ->> 'o_override' is not null then
        _lines := _lines || format(E'select * into _override from (%s) as y;\n', i_plan ->> 'o_override');
        for _field in select * from jsonb_array_elements_text(i_plan -> 'o_overridden') loop
            _lines := _lines || format(E'_%1$s := _override.%1$s;\n', _field);
        end loop;
        _lines := _lines || format(E'if not pgq._capture_when(_override.o_when_type, _override.o_when) then %s end if;\n',
                                   i_return);
    end if;
    return _lines;
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- Judges the value of when=, given its type and text; without when= both are NULL.
-- Errors: `when= query result must be boolean, got=%`, `when= should not be NULL`
-- Execute: public
create or replace function pgq._capture_when(i_type oid, i_value text)
returns boolean as $$
begin
    if i_type is null then
        return true;
    elsif i_type operator(pg_catalog.<>) 16 then
        raise exception 'when= query result must be boolean, got=%', i_type;
    elsif i_value is null or i_value operator(pg_catalog.=) '' then
        raise exception 'when= should not be NULL';
    end if;
    return i_value operator(pg_catalog.=) 't';
end;
$$ language plpgsql immutable;
