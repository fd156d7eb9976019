-- Reads the arguments of a capture trigger (without the queue name).
--
-- Parameters:
--   i_args        SKIP, backup, deny, ignore=a,b, pkey=a,b, when=EXPR, ev_type=EXPR, ev_data=EXPR,
--                 ev_extra1=EXPR .. ev_extra4=EXPR
-- Returns one row:
--   o_ignore      names of the ignored columns
--   o_pkey        names of the key columns as written, with blanks; NULL when the primary key holds
--   o_constants   of the fields type, data, extra1..extra4, those given as a plain string literal, with that literal
--   o_expressions the other fields, and when, with their SQL expression
-- Errors: `bad param to pgq trigger`
-- Execute: public
create or replace function pgq._capture_arguments(
    in i_args text[],
    out o_skip boolean, out o_backup boolean, out o_deny boolean,
    out o_ignore text[], out o_pkey text[], out o_constants jsonb, out o_expressions jsonb)
returns record as $$
declare
    _arg text;
    _name text;
    _value text;
begin
    o_skip := false;
    o_backup := false;
    o_deny := false;
    o_ignore := '{}';
    o_constants := '{}';
    o_expressions := '{}';
    foreach _arg in array coalesce(i_args, '{}') loop
        _name := split_part(_arg, '=', 1);
        _value := substr(_arg, length(_name) + 2);
        if _arg = 'SKIP' then
            o_skip := true;
        elsif _arg = 'backup' then
            o_backup := true;
        elsif _arg = 'deny' then
            o_deny := true;
        elsif _name = _arg then
            raise exception 'bad param to pgq trigger';
        elsif _name = 'ignore' then
            o_ignore := array(select btrim(c) from unnest(string_to_array(_value, ',')) c);
        elsif _name = 'pkey' then
            o_pkey := string_to_array(_value, ',');
        elsif _name in ('ev_type', 'ev_data', 'ev_extra1', 'ev_extra2', 'ev_extra3', 'ev_extra4') then
            -- Blanks are those of SQL: any other one before the literal would be the name of a type, which the literal is of.
            if _value ~ '^[ \t\n\r\f]*''([^''\\]|'''')*''[ \t\n\r\f]*$' then
                o_constants := o_constants || jsonb_build_object(substr(_name, 4), _value);
            else
                o_expressions := o_expressions || jsonb_build_object(substr(_name, 4), _value);
            end if;
        elsif _name = 'when' then
            o_expressions := o_expressions || jsonb_build_object(_name, _value);
        else
            raise exception 'bad param to pgq trigger';
        end if;
    end loop;
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;
