-- Renews the generated functions of altered tables, and drops those that nothing uses any more: after DROP TABLE, DROP
-- TRIGGER, or a restore, which changes the tables' numbers. Nothing depends on it being called: a change of a table
-- renews what it needs by itself. A good entry for queue_extra_maint.
--
-- Parameters: i_queue   ignored, so that it can be an entry of queue_extra_maint
-- Returns: 0
-- Locks: none on tables
-- Execute: pgq_admin
create or replace function pgq.refresh_captures(i_queue text default null)
returns integer as $$
declare
    _function record;
begin
    for _function in
        select p.oid::regprocedure as signature, p.proname::text as name,
               exists (select 1 from pg_trigger t where t.tgfoid = p.oid) as is_used
          from pg_proc p
         where p.pronamespace = 'pgq'::regnamespace
           and p.proname ~ '^capture_(json|urlenc|sql)_\d+(_\d+)?$'
         order by p.proname
    loop
        if _function.is_used then
            perform pgq._capture_renew(_function.name);
        else
            perform pgq._capture_drop_function(_function.name);
        end if;
    end loop;
    for _function in
        select p.oid::regprocedure as signature
          from pg_proc p
         where p.pronamespace = 'pgq'::regnamespace
           and p.proname ~ '^row_(json|urlenc|sql|kinds)_\d+_[0-9a-f]+$'
           and not exists (
               select 1
                 from pg_trigger t
                where t.tgrelid = split_part(p.proname::text, '_', 3)::oid
                  and t.tgfoid = to_regproc(format('pgq.%s', pgq._trigger_function_name(split_part(p.proname::text, '_', 2))))
                  and pgq._row_function_name(split_part(p.proname::text, '_', 2), t.tgrelid, pgq._trigger_arguments(t.tgargs))
                      = p.proname)
    loop
        execute format('drop function %s', _function.signature);
    end loop;
    return 0;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;
