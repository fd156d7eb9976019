-- Drops a trigger; with the row trigger of a generated capture the rest of it goes, too.
-- Calls: pgq.drop_capture
-- Execute: londiste_writer
create or replace function londiste._drop_trigger(i_table oid, i_trigger_name text)
returns void as $$
declare
    _is_generated boolean;
begin
    select n.nspname = 'pgq' and p.proname ~ '^capture_' and t.tgtype & 1 = 1 into _is_generated
        from pg_catalog.pg_trigger t
        join pg_catalog.pg_proc p on (p.oid = t.tgfoid)
        join pg_catalog.pg_namespace n on (n.oid = p.pronamespace)
        where t.tgrelid = i_table and t.tgname = i_trigger_name;
    if not found then
        return;
    end if;
    if _is_generated then
        execute 'select pgq.drop_capture($1, $2)' using i_table::regclass, i_trigger_name;
    else
        execute format('drop trigger %I on %s', i_trigger_name, i_table::regclass);
    end if;
end;
$$ language plpgsql strict set search_path = pg_catalog, pg_temp;
