-- Trigger of londiste.table_info: a registration takes its replication triggers with it, and gives back what an
-- unfinished copy has dropped.
-- Calls: londiste.drop_table_triggers, londiste._give_back_ddl
-- Execute: londiste_writer
create or replace function londiste.table_info_trigger()
returns trigger as $$
begin
    perform londiste.drop_table_triggers(old.queue_name, old.table_name);
    delete from londiste.copy_progress p
        where p.queue_name = old.queue_name and p.table_name = old.table_name;
    if old.dropped_ddl is not null then
        perform londiste._give_back_ddl(old.queue_name, old.table_name,
            coalesce(old.dest_table, old.table_name), old.dropped_ddl);
    end if;
    return old;
end;
$$ language plpgsql;
