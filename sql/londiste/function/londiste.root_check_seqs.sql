-- Publishes the sequences of a root ahead of their use: when a sequence comes within the buffer of what was
-- published last, three buffers more are published. Descending and cycling sequences are not supported.
--
-- Parameters:
--   i_buffer - number of values; 10000 when null or below 10
-- Returns:
--   100 - checked
--   402 - not a root
--   404 - no such node
-- Raises: a warning for each registered sequence that the database no longer has
-- Locks: the node_info row
-- Calls: londiste._publish_seqs
-- Execute: pgq_admin, londiste_writer
create or replace function londiste.root_check_seqs(
    in i_queue_name text,
    in i_buffer bigint,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _buffer bigint := i_buffer;
    _node_type text;
begin
    if _buffer is null or _buffer < 10 then
        _buffer := 10000;
    end if;

    select n.node_type into _node_type
        from pgq_node.node_info n
        where n.queue_name = i_queue_name
        for update;
    if not found then
        select 404, 'Queue not found: ' || i_queue_name into ret_code, ret_note;
        return;
    end if;
    if _node_type <> 'root' then
        select 402, 'Not a root node' into ret_code, ret_note;
        return;
    end if;

    perform londiste._publish_seqs(i_queue_name, _buffer, null);
    select 100, 'Sequences updated' into ret_code, ret_note;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;

create or replace function londiste.root_check_seqs(
    in i_queue_name text,
    out ret_code int4,
    out ret_note text)
returns record as $$
begin
    select f.ret_code, f.ret_note into ret_code, ret_note
        from londiste.root_check_seqs(i_queue_name, 10000) f;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
