-- Arguments of a trigger, from pg_trigger.tgargs.
-- Execute: public
create or replace function pgq._trigger_arguments(i_tgargs bytea)
returns text[] as $$
declare
    _arguments text[] := '{}';
    _end integer;
begin
    loop
        _end := position('\x00'::bytea in i_tgargs);
        exit when coalesce(_end, 0) = 0;
        _arguments := _arguments || convert_from(substr(i_tgargs, 1, _end - 1), getdatabaseencoding());
        i_tgargs := substr(i_tgargs, _end + 1);
    end loop;
    return _arguments;
end;
$$ language plpgsql immutable set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;
