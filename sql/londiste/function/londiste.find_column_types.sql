-- Tells the key columns of a table from the others.
--
-- Returns: one letter for each column in table order, k for a primary key column, v for another; '' without table
-- Execute: public
create or replace function londiste.find_column_types(tbl text)
returns text as $$
declare
    _table oid := londiste.find_table_oid(tbl);
    _types text;
begin
    select string_agg(case when a.attnum = any (k.columns) then 'k' else 'v' end, '' order by a.attnum)
        into _types
        from pg_catalog.pg_attribute a
        left join (
            -- columns after the first indnkeyatts are only included
            select array_agg(u.attnum) as columns
            from pg_catalog.pg_index i,
                unnest(i.indkey::int2[]) with ordinality u(attnum, nr)
            where i.indrelid = _table and i.indisprimary and u.nr <= i.indnkeyatts
        ) k on (true)
        where a.attrelid = _table and a.attnum > 0 and not a.attisdropped;
    return coalesce(_types, '');
end;
$$ language plpgsql strict stable set search_path = pg_catalog, pg_temp;
