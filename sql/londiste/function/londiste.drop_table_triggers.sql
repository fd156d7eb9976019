-- Drops all triggers of a queue from the effective table of a registration, the user's own ones too.
--
-- Parameters:
--   i_table_name - as registered, with schema
-- Locks: the table, as DROP TRIGGER does, when there are any
-- Execute: londiste_writer
create or replace function londiste.drop_table_triggers(in i_queue_name text, in i_table_name text)
returns void as $$
declare
    _table oid;
begin
    select londiste.find_table_oid(coalesce(t.dest_table, t.table_name)) into _table
        from londiste.table_info t
        where t.queue_name = i_queue_name and t.table_name = i_table_name;
    perform londiste._drop_trigger(_table, q.trigger_name)
        from londiste._queue_triggers(i_queue_name, _table) q;
    perform londiste._drop_trigger(g.relation, g.trigger_name)
        from londiste._partition_guards(i_queue_name, _table) g;
end;
$$ language plpgsql strict;
