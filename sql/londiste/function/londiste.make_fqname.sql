-- Puts an unqualified name into schema public.
-- Execute: public
create or replace function londiste.make_fqname(i_name text)
returns text as $$
begin
    if position('.' in i_name) > 0 then
        return i_name;
    end if;
    return 'public.' || i_name;
end;
$$ language plpgsql strict immutable set search_path = pg_catalog, pg_temp;
