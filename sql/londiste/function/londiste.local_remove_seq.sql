-- Stops replicating a sequence; a root removes it from the whole set.
--
-- Returns:
--   200 - removed
--   400 - not registered, on a root
--   404 - not local, on another node
-- Raises: queue does not exist
-- Calls: pgq_node.is_root_node, londiste.global_remove_seq
-- Execute: londiste_writer
create or replace function londiste.local_remove_seq(
    in i_queue_name text,
    in i_seq_name text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _seq text := londiste.make_fqname(i_seq_name);
begin
    if pgq_node.is_root_node(i_queue_name) then
        select f.ret_code, f.ret_note into ret_code, ret_note
            from londiste.global_remove_seq(i_queue_name, _seq) f;
        return;
    end if;

    update londiste.seq_info s
        set local = false
        where s.queue_name = i_queue_name and s.seq_name = _seq and s.local;
    if not found then
        select 404, 'Sequence not found: ' || _seq into ret_code, ret_note;
        return;
    end if;
    select 200, 'Sequence removed: ' || _seq into ret_code, ret_note;
end;
$$ language plpgsql strict set search_path = pg_catalog, pg_temp;
