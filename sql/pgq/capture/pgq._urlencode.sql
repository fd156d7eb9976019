-- Url-encodes a text byte by byte in the database's encoding: letters, digits, `_`, `.`, `-` as they are, blank as
-- `+`, the rest as `%` and two lower-case hex digits. Runs for every value, also inside definer functions: names are
-- qualified instead of a pinned search path, which would cost more than the work. Nor does it depend on what a session
-- takes a backslash for.
-- Execute: public
create or replace function pgq._urlencode(i_text text)
returns text as $$
declare
    _character pg_catalog.text;
begin
    i_text := pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(i_text, '%', '%25'), '+', '%2b'), ' ', '+');
    loop
        _character := pg_catalog.substring(i_text, '[^A-Za-z0-9_.%+-]' collate pg_catalog."C");
        exit when _character is null;
        i_text := pg_catalog.replace(
            i_text, _character,
            pg_catalog.regexp_replace(
                pg_catalog.encode(pg_catalog.convert_to(_character, pg_catalog.getdatabaseencoding()), 'hex'),
                '(..)', E'%\\1', 'g'));
    end loop;
    return i_text;
end;
$$ language plpgsql strict immutable parallel safe;
