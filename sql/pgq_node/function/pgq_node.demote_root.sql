-- Turns a root into a branch, in three steps that belong to three transactions.
--
--   1 - refuse further events; may be repeated
--   2 - wait for the writers, insert the last tick
--   3 - become a branch of the new provider
--
-- Returns: last_tick is null after step 1, the tick of step 2, the newest tick after step 3
--   200 - done
--   301 - not a root
--   404 - no such node or queue
-- Raises: steps in wrong order, incorrect step number; foreign key violation for an unknown new provider
-- Locks: the node_info row; step 2 also the queue's event tables against writers (EXCLUSIVE, readers may pass); step 3 first
--   the worker's position
-- Calls: pgq_node._lock_positions, pgq.ticker
-- Execute: pgq_admin
create or replace function pgq_node.demote_root(
    in i_queue_name text,
    in i_step int4,
    in i_new_provider text,
    out ret_code int4,
    out ret_note text,
    out last_tick bigint)
returns record as $$
declare
    _node_type text;
    _worker_name text;
    _queue record;
begin
    if i_step = 3 then
        perform pgq_node._lock_positions(n.queue_name, n.worker_name)
            from pgq_node.node_info n
            where n.queue_name = i_queue_name;
    end if;
    select n.node_type, n.worker_name into _node_type, _worker_name
        from pgq_node.node_info n
        where n.queue_name = i_queue_name
        for update;
    if not found then
        select 404, 'Node not initialized for queue: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;
    if _node_type <> 'root' then
        select 301, 'Node not root' into ret_code, ret_note;
        return;
    end if;

    select q.queue_id, q.queue_data_pfx, q.queue_event_seq, q.queue_tick_seq,
            q.queue_disable_insert and q.queue_external_ticker as is_writing_disabled
        into _queue
        from pgq.queue q
        where q.queue_name = i_queue_name;
    if i_step > 1 and _queue.is_writing_disabled is not true then
        raise exception 'steps in wrong order';
    end if;

    if i_step = 1 then
        update pgq.queue q
            set queue_disable_insert = true, queue_external_ticker = true
            where q.queue_name = i_queue_name;
        if not found then
            select 404, 'Huh, no queue?: ' || i_queue_name into ret_code, ret_note;
            return;
        end if;
        select 200, 'Step 1: Writing disabled for: ' || i_queue_name into ret_code, ret_note;
    elsif i_step = 2 then
        -- lasts until the end of the transaction, so that the caller may still write into the disabled queue
        begin
            set local session_replication_role = replica;
        exception
            when insufficient_privilege then
                null;
        end;

        execute format('lock table %s in exclusive mode', pgq.quote_fqname(_queue.queue_data_pfx));
        last_tick := nextval(pgq.quote_fqname(_queue.queue_tick_seq)::regclass);
        perform pgq.ticker(i_queue_name, last_tick, now(),
            nextval(pgq.quote_fqname(_queue.queue_event_seq)::regclass));
        select 200, 'Step 2: Inserted last tick: ' || i_queue_name into ret_code, ret_note;
    elsif i_step = 3 then
        update pgq_node.node_info n
            set node_type = 'branch'
            where n.queue_name = i_queue_name;
        select max(t.tick_id) into last_tick from pgq.tick t where t.tick_queue = _queue.queue_id;
        update pgq_node.local_state s
            set provider_node = i_new_provider, last_tick_id = demote_root.last_tick, uptodate = false
            where s.queue_name = i_queue_name and s.consumer_name = _worker_name;
        select 200, 'Step 3: Demoted root to branch: ' || i_queue_name into ret_code, ret_note;
    else
        raise exception 'incorrect step number';
    end if;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
