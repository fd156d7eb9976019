-- Removes a sequence from the set as far as this node knows it; a root announces it.
--
-- Returns: 200, or 400 when it is not registered
-- Raises: queue does not exist
-- Locks: on a root the node_info row, as root_check_seqs; the seq_info row
-- Calls: pgq_node.is_root_node, londiste.root_notify_change
-- Execute: londiste_writer
create or replace function londiste.global_remove_seq(
    in i_queue_name text,
    in i_seq_name text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _seq text := londiste.make_fqname(i_seq_name);
begin
    perform 1 from pgq_node.node_info n
        where n.queue_name = i_queue_name and n.node_type = 'root'
        for update;
    delete from londiste.seq_info s
        where s.queue_name = i_queue_name and s.seq_name = _seq;
    if not found then
        select 400, 'Sequence not found: ' || _seq into ret_code, ret_note;
        return;
    end if;

    if pgq_node.is_root_node(i_queue_name) then
        perform londiste.root_notify_change(i_queue_name, 'londiste.remove-seq', _seq);
    end if;
    select 200, 'Sequence removed: ' || _seq into ret_code, ret_note;
end;
$$ language plpgsql strict set search_path = pg_catalog, pg_temp;
