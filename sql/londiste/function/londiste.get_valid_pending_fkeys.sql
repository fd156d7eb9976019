-- Lists the dropped foreign keys that the worker of this queue is to restore now: both ends are replicated here,
-- every registration of both is in sync without snapshot, and of all queues that replicate them this one is
-- responsible. Responsible is the first leaf that is merged into a combined root, else the combined branch that
-- such leafs feed, else the first queue.
--
-- Returns: rows in order of from_table, to_table, fkey_name
-- Execute: londiste_writer
create or replace function londiste.get_valid_pending_fkeys(i_queue_name text)
returns setof londiste.pending_fkeys as $$
begin
    return query
        select p.*
        from londiste.pending_fkeys p
        cross join lateral (
            select
                bool_or(coalesce(t.dest_table, t.table_name) = p.from_table)
                    and bool_or(coalesce(t.dest_table, t.table_name) = p.to_table) as has_both_ends,
                bool_and(coalesce(t.merge_state in ('ok', '?'), false) and t.custom_snapshot is null) as is_in_sync,
                bool_or(t.queue_name = i_queue_name) as is_ours,
                coalesce(
                    min(t.queue_name collate "C") filter (where n.node_type = 'leaf' and c.node_type = 'root'),
                    min(c.queue_name collate "C") filter (where n.node_type = 'leaf' and c.node_type = 'branch'),
                    min(t.queue_name collate "C")) as responsible
            from londiste.table_info t
            join pgq_node.node_info n on (n.queue_name = t.queue_name)
            left join pgq_node.node_info c on (c.queue_name = n.combined_queue)
            where t.local and coalesce(t.dest_table, t.table_name) in (p.from_table, p.to_table)
        ) e
        where e.has_both_ends and e.is_in_sync and e.is_ours and e.responsible = i_queue_name
        order by p.from_table, p.to_table, p.fkey_name;
end;
$$ language plpgsql strict stable set search_path = pg_catalog, pg_temp;
