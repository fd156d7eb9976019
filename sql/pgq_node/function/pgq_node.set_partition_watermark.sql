-- Moves an idle merge-leaf to the tick that the combined branch already contains.
--
-- Returns:
--   200 - moved
--   201 - this database has no such combined branch with that leaf
--   401 - the leaf's worker is not registered
-- Execute: pgq_admin
create or replace function pgq_node.set_partition_watermark(
    in i_combined_queue_name text,
    in i_part_queue_name text,
    in i_watermark bigint,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _worker_name text;
begin
    select p.worker_name into _worker_name
        from pgq_node.node_info c, pgq_node.node_info p
        where c.queue_name = i_combined_queue_name
          and c.node_type = 'branch'
          and p.queue_name = i_part_queue_name
          and p.node_type = 'leaf'
          and p.combined_queue = c.queue_name;
    if not found then
        select 201, 'Part-queue does not exist' into ret_code, ret_note;
        return;
    end if;

    update pgq_node.local_state s
        set last_tick_id = i_watermark
        where s.queue_name = i_part_queue_name and s.consumer_name = _worker_name;
    if not found then
        select 401, 'Worker registration not found' into ret_code, ret_note;
        return;
    end if;
    select 200, 'Ok' into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
