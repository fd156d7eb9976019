-- Quotes a schema-qualified name: the first dot separates schema and name, without a dot the schema is public.
-- Execute: public
create or replace function pgq.quote_fqname(i_name text)
returns text
language sql immutable strict as $$
    select case
        when pg_catalog.strpos(i_name, '.') operator(pg_catalog.>) 0
        then pg_catalog.format('%I.%I',
            pg_catalog.substr(i_name, 1, pg_catalog.strpos(i_name, '.') operator(pg_catalog.-) 1),
            pg_catalog.substr(i_name, pg_catalog.strpos(i_name, '.') operator(pg_catalog.+) 1))
        else pg_catalog.format('public.%I', i_name)
    end
$$;
