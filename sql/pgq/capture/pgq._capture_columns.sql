-- The columns of a table as capture sees them, in table column order. Dropped and virtual generated columns are left out.
--
-- Parameters:
--   i_table   the table
--   i_ignore  names of ignored columns
--   i_pkey    names of the key columns; NULL: the columns of the primary key, without its INCLUDE columns
-- Returns: o_name, o_type (oid of the declared type), o_key_position (1.. in key order, NULL: not a key column),
--   o_is_ignored, o_is_magic (named _pgq_ev_...)
-- Execute: public
create or replace function pgq._capture_columns(
    in i_table oid, in i_ignore text[], in i_pkey text[],
    out o_name text, out o_type oid, out o_key_position integer, out o_is_ignored boolean, out o_is_magic boolean)
returns setof record as $$
begin
    return query
        select a.attname::text,
               a.atttypid,
               case when i_pkey is null then array_position(x.key_numbers, a.attnum)
                    else array_position(i_pkey, a.attname::text) end,
               a.attname = any (i_ignore),
               starts_with(a.attname::text, '_pgq_ev_')
          from pg_attribute a
          left join (select i.indrelid, (i.indkey::int2[])[0:i.indnkeyatts - 1] as key_numbers
                       from pg_index i
                      where i.indrelid = i_table and i.indisprimary) x on x.indrelid = a.attrelid
         where a.attrelid = i_table
           and a.attnum > 0
           and not a.attisdropped
           and a.attgenerated <> 'v'
         order by a.attnum;
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;
