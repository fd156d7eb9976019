-- Writes a capture function anew when its table, as the trigger that uses it says, has changed. Called by stale
-- generated code during a change of the table; there nothing may fail and nothing may wait, therefore somebody else who
-- renews the same function just now, and any error, mean "not now": the caller logs the row without the function.
--
-- Parameters: i_name   name of the function in schema pgq
-- Returns: was it renewed?
-- Execute: public
create or replace function pgq._capture_renew(i_name text)
returns boolean as $$
declare
    _trigger record;
begin
    if not pg_try_advisory_xact_lock(hashtext('pgq.capture'), hashtext(i_name)) then
        return false;
    end if;
    select t.tgrelid, pgq._trigger_arguments(t.tgargs) as args, p.prosrc, split_part(i_name, '_', 2) as capture_format,
           bool_or(t.tgtype::integer & 1 = 0) as has_set, count(*) over () as tables
      into _trigger
      from pg_proc p
      join pg_trigger t on t.tgfoid = p.oid and t.tgparentid = 0
     where p.pronamespace = 'pgq'::regnamespace
       and p.proname = i_name
       and p.proname ~ '^capture_(json|urlenc|sql)_\d+(_\d+)?$'
     group by t.tgrelid, t.tgargs, p.prosrc;
    if not found or _trigger.tables > 1 then
        return false;
    end if;
    if _trigger.prosrc = pgq._capture_row_function(i_name, _trigger.tgrelid, _trigger.capture_format, _trigger.args,
                                                   _trigger.has_set) then
        return false;
    end if;
    perform pgq._capture_write_function(i_name, _trigger.tgrelid, _trigger.capture_format, _trigger.args,
                                        _trigger.has_set);
    return true;
exception when others then
    return false;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;
