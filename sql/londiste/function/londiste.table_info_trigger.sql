-- Trigger of londiste.table_info: a registration takes its replication triggers with it.
-- Execute: londiste_writer
create or replace function londiste.table_info_trigger()
returns trigger as $$
begin
    perform londiste.drop_table_triggers(old.queue_name, old.table_name);
    delete from londiste.copy_progress p
        where p.queue_name = old.queue_name and p.table_name = old.table_name;
    return old;
end;
$$ language plpgsql;
