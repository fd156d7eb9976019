-- Initializes the local node of a cascaded queue. A root adopts a queue that exists, with its events; one that a branch
-- has left behind takes events and ticks again.
--
-- Parameters:
--   i_node_type        - root, branch or leaf
--   i_worker_name      - consumer name of the node's worker
--   i_provider_name    - node to read from; null on a root
--   i_global_watermark - tick to start from; null on a root, on others as register_subscriber on the provider gave it
--   i_combined_queue   - on a leaf: queue of this database that gets the leaf's events
-- Returns:
--   200 - created
--   401 - already initialized, or the arguments do not fit the type
--   other codes of pgq_node.register_consumer
-- Raises: foreign key violation when the location of node or provider is not registered; not-null or check
--   violation for a missing worker, a leaf without watermark, a combined queue on a branch
-- Calls: pgq.create_queue, pgq.ticker, pgq.register_consumer(_at), pgq_node.register_consumer
-- Execute: pgq_admin
create or replace function pgq_node.create_node(
    in i_queue_name text,
    in i_node_type text,
    in i_node_name text,
    in i_worker_name text,
    in i_provider_name text,
    in i_global_watermark bigint,
    in i_combined_queue text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _provider text := i_provider_name;
    _position bigint := i_global_watermark;
begin
    perform 1 from pgq_node.node_info n where n.queue_name = i_queue_name;
    if found then
        select 401, 'Node already initialized' into ret_code, ret_note;
        return;
    end if;

    if i_node_type = 'root' then
        if coalesce(i_provider_name, i_global_watermark::text, i_combined_queue) is not null then
            select 401, 'unexpected args for root' into ret_code, ret_note;
            return;
        end if;

        perform pgq.create_queue(i_queue_name);
        -- a queue left over from a branch would neither take events nor tick
        update pgq.queue q
            set queue_external_ticker = false, queue_disable_insert = false
            where q.queue_name = i_queue_name and q.queue_external_ticker and q.queue_disable_insert;
        perform pgq.register_consumer(i_queue_name, '.global_watermark');
        _provider := i_node_name;
        select f.last_tick into _position
            from pgq.get_consumer_info(i_queue_name, '.global_watermark') f;
    elsif i_node_type = 'branch' then
        if i_provider_name is null then
            select 401, 'provider not set for branch' into ret_code, ret_note;
            return;
        end if;
        if i_global_watermark is null then
            select 401, 'global watermark not set for branch' into ret_code, ret_note;
            return;
        end if;

        perform pgq.create_queue(i_queue_name);
        update pgq.queue q
            set queue_external_ticker = true, queue_disable_insert = true
            where q.queue_name = i_queue_name;
        if i_global_watermark > 1 then
            perform pgq.ticker(i_queue_name, i_global_watermark, now(), 1);
        end if;
        perform pgq.register_consumer_at(i_queue_name, '.global_watermark', i_global_watermark);
    elsif i_node_type = 'leaf' then
        if i_combined_queue is not null then
            perform 1 from pgq.get_queue_info(i_combined_queue);
            if not found then
                select 401, 'non-existing queue on leaf side: ' || i_combined_queue into ret_code, ret_note;
                return;
            end if;
        end if;
    else
        select 401, 'bad node type: ' || coalesce(i_node_type, '<NULL>') into ret_code, ret_note;
        return;
    end if;

    insert into pgq_node.node_info (queue_name, node_type, node_name, worker_name, combined_queue)
        values (i_queue_name, i_node_type, i_node_name, i_worker_name, i_combined_queue);

    select f.ret_code, f.ret_note into ret_code, ret_note
        from pgq_node.register_consumer(i_queue_name, i_worker_name, _provider, _position) f;
    if ret_code <> 200 then
        return;
    end if;

    select 200, 'Node "' || i_node_name || '" initialized for queue "' || i_queue_name
            || '" with type "' || i_node_type || '"'
        into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
