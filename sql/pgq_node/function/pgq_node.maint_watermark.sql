-- Publishes the watermark of a local root whose worker has not done so for 5 minutes; called by the ticker daemon.
--
-- Returns: 0, which asks not to be called again in this round
-- Calls: pgq_node.set_global_watermark
-- Execute: pgq_admin
create or replace function pgq_node.maint_watermark(i_queue_name text)
returns int4 as $$
declare
    _lag interval;
begin
    perform 1 from pgq_node.node_info n
        where n.queue_name = i_queue_name and n.node_type = 'root';
    if not found then
        return 0;
    end if;

    select f.lag into _lag from pgq.get_consumer_info(i_queue_name, '.global_watermark') f;
    if _lag >= interval '5 minutes' then
        perform pgq_node.set_global_watermark(i_queue_name, null);
    end if;
    return 0;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
