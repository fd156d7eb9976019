-- Turns a branch into the root: events and ticks originate here from now on. When the branch's worker died between a batch
-- and its tick, the tick is made here: other nodes have it too, under the same id.
--
-- Returns:
--   200 - done
--   301 - not a branch
--   404 - no such node
-- Locks: the worker's position, the node_info row
-- Calls: pgq_node._lock_positions, pgq.ticker, pgq.seq_setval, pgq.seq_getval
-- Execute: pgq_admin
create or replace function pgq_node.promote_branch(
    in i_queue_name text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _node record;
    _newest_tick bigint;
    _highest_event bigint;
    _queue record;
begin
    perform pgq_node._lock_positions(n.queue_name, n.worker_name)
        from pgq_node.node_info n
        where n.queue_name = i_queue_name;
    select n.node_type, n.node_name, n.worker_name, s.last_tick_id,
            case when s.known_tick_id = s.last_tick_id then s.known_tick_time end as tick_time
        into _node
        from pgq_node.node_info n
        left join pgq_node.local_state s
            on (s.queue_name = n.queue_name and s.consumer_name = n.worker_name)
        where n.queue_name = i_queue_name
        for update of n;
    if not found then
        select 404, 'Node not initialized for queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;
    if _node.node_type <> 'branch' then
        select 301, 'Node not branch' into ret_code, ret_note;
        return;
    end if;

    select q.queue_id, q.queue_tick_seq, q.queue_event_seq, q.queue_data_pfx into _queue
        from pgq.queue q
        where q.queue_name = i_queue_name;
    select max(t.tick_id) into _newest_tick from pgq.tick t where t.tick_queue = _queue.queue_id;
    if _node.last_tick_id > _newest_tick then
        execute format('select max(e.ev_id) from %s e, pgq.tick t where t.tick_queue = $1 and t.tick_id = $2'
                ' and e.ev_txid >= txid_snapshot_xmin(t.tick_snapshot)', pgq.quote_fqname(_queue.queue_data_pfx))
            into _highest_event using _queue.queue_id, _newest_tick;
        _newest_tick := pgq.ticker(i_queue_name, _node.last_tick_id, coalesce(_node.tick_time, now()),
            greatest(_highest_event, pgq.seq_getval(_queue.queue_event_seq)));
    end if;
    update pgq.queue q
        set queue_disable_insert = false, queue_external_ticker = false
        where q.queue_id = _queue.queue_id;
    perform pgq.seq_setval(_queue.queue_tick_seq, _newest_tick);

    update pgq_node.node_info n
        set node_type = 'root'
        where n.queue_name = i_queue_name;
    update pgq_node.local_state s
        set provider_node = _node.node_name, last_tick_id = _newest_tick, uptodate = false
        where s.queue_name = i_queue_name and s.consumer_name = _node.worker_name;

    select 200, 'Branch node promoted to root' into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
