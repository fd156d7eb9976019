-- May the set form log the table now? Only where nothing can change a row of the table between a statement and its
-- statement triggers, and where the statement triggers see exactly the rows that the row trigger would.
--
-- Not with: another AFTER trigger (it may write to the table: its change would be logged first), foreign keys that cascade
-- from the table (likewise), inheritance (the parent's statements reach the children's rows, not their triggers), no
-- primary key, triggers of the capture that are not enabled in the ordinary way (enabled always, they also fire for rows
-- that logical replication writes, which does so without statements), and above read committed (this function could not
-- see what was changed after the snapshot).
--
-- Declared immutable for the reason given at pgq._capture_shape.
-- Parameters: i_table, i_name (of the capture function)
-- Execute: public
create or replace function pgq._capture_is_set_safe(i_table oid, i_name text)
returns boolean as $$
declare
    _function oid := to_regproc(format('pgq.%I', i_name));
begin
    return current_setting('transaction_isolation') = 'read committed'
        and exists (select 1 from pg_class c where c.oid = i_table and c.relkind = 'r' and not c.relispartition)
        and exists (select 1 from pg_index i where i.indrelid = i_table and i.indisprimary)
        and not exists (select 1 from pg_inherits i where i.inhparent = i_table or i.inhrelid = i_table)
        and not exists (
            select 1
              from pg_trigger t
              join pg_proc p on p.oid = t.tgfoid
             where t.tgrelid = i_table
               and t.tgenabled <> 'D'
               and t.tgtype::integer & 66 = 0   -- neither BEFORE nor INSTEAD OF
               and t.tgtype::integer & 28 <> 0  -- INSERT, DELETE or UPDATE
               and case when t.tgisinternal then p.proname ~ '^RI_FKey_(cascade|setnull|setdefault)_'
                        else p.pronamespace <> 'pgq'::regnamespace
                             or p.proname !~ '^(capture_(json|urlenc|sql)_.*|jsontriga|logutriga|sqltriga|logtriga)$' end)
        and (select bool_and(t.tgenabled = 'O')
                    and bit_or(t.tgtype::integer & 28) filter (where t.tgtype::integer & 3 = 0)
                        = bit_or(t.tgtype::integer & 28) filter (where t.tgtype::integer & 3 = 1)
                    and bit_or(t.tgtype::integer & 24) filter (where t.tgtype::integer & 3 = 2)
                        is not distinct from
                        nullif(bit_or(t.tgtype::integer & 24) filter (where t.tgtype::integer & 3 = 1), 0)
               from pg_trigger t
              where t.tgrelid = i_table and t.tgfoid = _function);
end;
$$ language plpgsql immutable strict set search_path = pg_catalog, pg_temp;

-- Is the row trigger of a capture enabled? Who disables it means the capture, and may not know of the others.
-- Declared immutable for the reason given at pgq._capture_shape.
-- Execute: public
create or replace function pgq._capture_is_enabled(i_table oid, i_name text)
returns boolean as $$
begin
    return exists (
        select 1
          from pg_trigger t
         where t.tgrelid = i_table
           and t.tgfoid = to_regproc(format('pgq.%I', i_name))
           and t.tgtype::integer & 1 = 1
           and t.tgenabled <> 'D');
end;
$$ language plpgsql immutable strict set search_path = pg_catalog, pg_temp;
