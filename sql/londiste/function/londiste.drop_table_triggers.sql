-- Drops all triggers of a queue from the effective table of a registration, the user's own ones too.
--
-- Parameters:
--   i_table_name - as registered, with schema
-- Locks: the table, as DROP TRIGGER does, when there are any
-- Execute: londiste_writer
create or replace function londiste.drop_table_triggers(in i_queue_name text, in i_table_name text)
returns void as $$
declare
    _effective_table text;
    _trigger_name text;
begin
    select coalesce(t.dest_table, t.table_name) into _effective_table
        from londiste.table_info t
        where t.queue_name = i_queue_name and t.table_name = i_table_name;
    if not found then
        return;
    end if;

    for _trigger_name in
        select q.trigger_name
        from londiste._queue_triggers(i_queue_name, londiste.find_table_oid(_effective_table)) q
    loop
        execute format('drop trigger %I on %s', _trigger_name, londiste.quote_fqname(_effective_table));
    end loop;
end;
$$ language plpgsql strict;
