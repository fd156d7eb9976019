-- Starts to replicate a sequence: a root publishes it at once, another node sets it to the published value.
--
-- Returns:
--   200 - added
--   201 - was added
--   400 - no such sequence in the database
--   404 - the set does not know it (not on a root)
-- Raises: queue does not exist
-- Locks: on a root the node_info row, as root_check_seqs; the seq_info row
-- Calls: pgq_node.is_root_node, londiste._publish_seqs, pgq.seq_setval
-- Execute: londiste_writer
create or replace function londiste.local_add_seq(
    in i_queue_name text,
    in i_seq_name text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _seq text := londiste.make_fqname(i_seq_name);
    _is_root boolean := pgq_node.is_root_node(i_queue_name);
    _row record;
    _is_known boolean;
begin
    if londiste.find_seq_oid(_seq) is null then
        select 400, 'Sequence not found: ' || _seq into ret_code, ret_note;
        return;
    end if;

    if _is_root then
        perform 1 from pgq_node.node_info n where n.queue_name = i_queue_name for update;
    end if;
    select s.local, s.last_value into _row
        from londiste.seq_info s
        where s.queue_name = i_queue_name and s.seq_name = _seq
        for update;
    _is_known := found;
    if _is_known and _row.local then
        select 201, 'Sequence already added: ' || _seq into ret_code, ret_note;
        return;
    end if;
    if not _is_known and not _is_root then
        select 404, 'Unknown sequence: ' || _seq into ret_code, ret_note;
        return;
    end if;

    if _is_known then
        update londiste.seq_info s
            set local = true
            where s.queue_name = i_queue_name and s.seq_name = _seq;
    else
        insert into londiste.seq_info (queue_name, seq_name, local, last_value)
            values (i_queue_name, _seq, true, 0);
    end if;

    if _is_root then
        perform londiste._publish_seqs(i_queue_name, 10000, _seq);
    else
        perform pgq.seq_setval(_seq, _row.last_value);
    end if;
    select 200, 'Sequence added: ' || _seq into ret_code, ret_note;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
