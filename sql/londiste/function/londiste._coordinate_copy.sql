-- Shares out the work between the copies that fill one physical table from several queues. The competitors are the
-- rows of this database with the same effective table that are not in sync yet, on queues with the same combined
-- queue (none counts as one, too). Queues are ranked by the bytes of their names.
--
-- Returns: nulls for an unknown table
--   copy_role - lead: prepare the table for all; wait-copy: the lead has not prepared it yet; wait-replay: copy, but
--               do not replay yet; null: nobody to wait for
--   copy_pos  - number of competitors before this one that are copying
-- Execute: londiste_reader, londiste_writer
create or replace function londiste._coordinate_copy(
    in i_queue_name text,
    in i_table_name text,
    out copy_role text,
    out copy_pos int4)
returns record as $$
declare
    _own record;
    _group record;
    _is_lead boolean;
begin
    select t.merge_state, t.dropped_ddl is not null as has_ddl,
            coalesce(t.dest_table, t.table_name) as effective_table, n.combined_queue
        into _own
        from londiste.table_info t
        join pgq_node.node_info n on (n.queue_name = t.queue_name)
        where t.queue_name = i_queue_name and t.table_name = i_table_name;
    if not found then
        return;
    end if;

    select count(*) filter (where t.local) as total,
            count(*) filter (where t.local and t.merge_state <> 'in-copy') as done,
            coalesce(bool_or(t.local and t.dropped_ddl is not null), false) as has_holder,
            coalesce(min(t.queue_name collate "C") filter (where t.local and t.dropped_ddl is not null),
                min(t.queue_name collate "C") filter (where t.local)) as lead_queue,
            count(*) filter (where t.merge_state = 'in-copy'
                and t.queue_name collate "C" < i_queue_name) as copying_before
        into _group
        from londiste.table_info t
        join pgq_node.node_info n on (n.queue_name = t.queue_name)
        where coalesce(t.dest_table, t.table_name) = _own.effective_table
          and n.combined_queue is not distinct from _own.combined_queue
          and t.merge_state is distinct from 'ok';

    _is_lead := _group.lead_queue = i_queue_name;
    copy_pos := case when _own.merge_state = 'in-copy' then _group.copying_before else 0 end;
    if _group.total <= 1 or _own.merge_state is null then
        return;
    end if;
    if _is_lead then
        copy_pos := 0;
    end if;

    if _is_lead and _own.merge_state = 'in-copy' then
        copy_role := case when not _own.has_ddl and _group.done > 0 then 'wait-replay' else 'lead' end;
    elsif _is_lead and _own.merge_state = 'catching-up' then
        copy_role := case when _own.has_ddl and _group.done < _group.total then 'wait-replay' end;
    elsif _own.merge_state = 'in-copy' then
        copy_role := case when _group.has_holder or _group.done > 0 then 'wait-replay' else 'wait-copy' end;
    elsif _own.merge_state = 'catching-up' then
        copy_role := case when _group.has_holder then 'wait-replay' end;
    end if;
end;
$$ language plpgsql strict stable set search_path = pg_catalog, pg_temp;
