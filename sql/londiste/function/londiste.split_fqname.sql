-- Splits a raw name at its first dot; the schema is public when there is none.
-- Execute: public
create or replace function londiste.split_fqname(
    in i_fqname text,
    out schema_part text,
    out name_part text)
returns record as $$
declare
    _dot int4 := position('.' in i_fqname);
begin
    if _dot > 0 then
        schema_part := left(i_fqname, _dot - 1);
        name_part := substr(i_fqname, _dot + 1);
    else
        schema_part := 'public';
        name_part := i_fqname;
    end if;
end;
$$ language plpgsql strict immutable set search_path = pg_catalog, pg_temp;
