-- Forgets scripts that ran more than 3 months ago; called by the ticker daemon.
--
-- Returns: 0, which asks not to be called again in this round
-- Execute: pgq_admin, londiste_writer
create or replace function londiste.periodic_maintenance()
returns int4 as $$
begin
    delete from londiste.applied_execute a
        where a.execute_time < now() - interval '3 months';
    return 0;
end;
$$ language plpgsql;
