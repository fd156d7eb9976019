-- Trigger that captures TRUNCATE of a table under the name it has in the set. PgQ's own triggers use the physical
-- name, which is unknown to the other nodes where a table is renamed. Like a generated capture it writes into the queue
-- with its own rights: who may change the table need have none.
--
-- Trigger arguments: queue, name in the set
-- Calls: pgq.insert_event
-- Execute: londiste_writer
create or replace function londiste.log_truncate()
returns trigger as $$
begin
    if current_setting('session_replication_role') <> 'local' then
        perform pgq.insert_event(tg_argv[0], 'R', '', tg_argv[1], null, null, null);
    end if;
    perform set_config('londiste.truncating', '', true);
    return null;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
