-- Lists the captures that pgq.create_capture made.
--
-- Parameters: i_table   NULL: all tables
-- Returns, ordered by table and trigger: form is what logs now, `row` or `set`; is_current: the generated function fits the
--   table as it is
-- Execute: public
create or replace function pgq.get_capture_info(
    in i_table regclass default null,
    out table_name text, out trigger_name text, out queue_name text, out capture_format text, out form text,
    out function_name text, out is_current boolean)
returns setof record as $$
begin
    return query
        select format('%s.%s', n.nspname, c.relname), t.tgname::text, a.args[1], split_part(p.proname, '_', 2),
               case when t.tgqual is not null and p.proname ~ concat('_', c.oid, '(_|$)')
                     and pgq._capture_is_set_safe(c.oid, p.proname::text) then 'set' else 'row' end,
               format('pgq.%s', p.proname),
               strpos(p.prosrc, pgq._capture_is_stale(c.oid)) > 0
          from pg_trigger t
          join pg_class c on c.oid = t.tgrelid
          join pg_namespace n on n.oid = c.relnamespace
          join pg_proc p on p.oid = t.tgfoid
         cross join lateral (select pgq._trigger_arguments(t.tgargs) as args) a
         where (i_table is null or t.tgrelid = i_table)
           and t.tgparentid = 0
           and t.tgtype::integer & 1 = 1
           and p.pronamespace = 'pgq'::regnamespace
           and p.proname ~ '^capture_(json|urlenc|sql)_\d+(_\d+)?$'
         order by 1, 2;
end;
$$ language plpgsql stable security definer set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;
