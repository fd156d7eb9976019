-- Drops all triggers of a queue from the effective table of a registration, the user's own ones too. Where another table of the
-- set has its rows there, only what is this one's goes.
--
-- Parameters:
--   i_table_name - as registered, with schema
-- Locks: the table, see _lock_table; rows of table_info, see _lock_registrations
-- Calls: londiste._lock_table, londiste._lock_registrations, londiste._sharing_table, londiste._hand_over_triggers
-- Execute: londiste_writer
create or replace function londiste.drop_table_triggers(in i_queue_name text, in i_table_name text)
returns void as $$
declare
    _effective_table text;
    _table oid;
    _other_name text;
begin
    perform londiste._lock_table(i_queue_name, i_table_name);
    perform londiste._lock_registrations(i_queue_name, i_table_name);
    select coalesce(t.dest_table, t.table_name) into _effective_table
        from londiste.table_info t
        where t.queue_name = i_queue_name and t.table_name = i_table_name;
    _table := londiste.find_table_oid(_effective_table);
    _other_name := londiste._sharing_table(i_queue_name, i_table_name, _effective_table);
    if _other_name is not null then
        perform londiste._hand_over_triggers(i_queue_name, i_table_name, _other_name, _effective_table);
        return;
    end if;
    perform londiste._drop_trigger(_table, q.trigger_name)
        from londiste._queue_triggers(i_queue_name, _table) q;
    perform londiste._drop_trigger(g.relation, g.trigger_name)
        from londiste._partition_guards(i_queue_name, _table) g;
end;
$$ language plpgsql strict set search_path = pg_catalog, pg_temp;
