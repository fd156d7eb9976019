-- Stores the value that the root published for a sequence, and moves the real one forward where it is local.
--
-- Returns:
--   200 - stored
--   402 - this is the root
--   404 - no such node
-- Locks: the seq_info row
-- Calls: pgq.seq_setval
-- Execute: londiste_writer
create or replace function londiste.global_update_seq(
    in i_queue_name text,
    in i_seq_name text,
    in i_value bigint,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _seq text := londiste.make_fqname(i_seq_name);
    _node_type text;
    _is_local boolean;
begin
    select n.node_type into _node_type
        from pgq_node.node_info n
        where n.queue_name = i_queue_name;
    if not found then
        select 404, 'Set not found: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;
    if _node_type = 'root' then
        select 402, 'Must not run on root node' into ret_code, ret_note;
        return;
    end if;

    insert into londiste.seq_info as s (queue_name, seq_name, last_value)
        values (i_queue_name, _seq, i_value)
        on conflict (queue_name, seq_name) do update
        set last_value = excluded.last_value
        returning s.local into _is_local;
    if _is_local then
        perform pgq.seq_setval(_seq, i_value);
    end if;
    select 200, 'Sequence updated' into ret_code, ret_note;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
