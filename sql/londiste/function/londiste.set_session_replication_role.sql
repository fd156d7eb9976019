-- Switches session_replication_role, so that a worker needs no superuser for it.
--
-- Parameters:
--   val      - origin, replica or local
--   is_local - true: until the end of the transaction, false: of the session
-- Raises: bad value for session_replication_role
-- Execute: londiste_writer
create or replace function londiste.set_session_replication_role(val text, is_local boolean)
returns void as $$
begin
    if val in ('origin', 'replica', 'local') then
        perform set_config('session_replication_role', val, is_local);
    else
        raise exception 'bad value for session_replication_role';
    end if;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
