-- Quotes a raw name for use in SQL: schema.name with each part as an identifier.
-- Execute: public
create or replace function londiste.quote_fqname(i_name text)
returns text as $$
declare
    _dot int4 := position('.' in i_name);
begin
    if _dot > 0 then
        return quote_ident(left(i_name, _dot - 1)) || '.' || quote_ident(substr(i_name, _dot + 1));
    end if;
    return 'public.' || quote_ident(i_name);
end;
$$ language plpgsql strict immutable set search_path = pg_catalog, pg_temp;
