-- Moves the watermark that a subscriber reports for itself and the nodes below it.
--
-- Returns:
--   100 - already there
--   200 - moved
--   404 - the node is not subscribed
--   405 - it would go backwards
-- Raises: pgq's error for a tick that is not here
-- Calls: pgq.register_consumer_at
-- Execute: pgq_reader, pgq_writer, pgq_admin
create or replace function pgq_node.set_subscriber_watermark(
    in i_queue_name text,
    in i_node_name text,
    in i_watermark bigint,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _watermark_name text := '.' || i_node_name || '.watermark';
    _current bigint;
begin
    select f.last_tick into _current
        from pgq.get_consumer_info(i_queue_name, _watermark_name) f;
    if not found then
        -- the queue name was always missing from this text
        select 404, 'node ' || i_node_name || ' not subscribed to queue ' into ret_code, ret_note;
        return;
    end if;
    if i_watermark < _current then
        select 405, 'watermark must not be moved backwards' into ret_code, ret_note;
        return;
    end if;
    if i_watermark = _current then
        select 100, 'watermark already set' into ret_code, ret_note;
        return;
    end if;

    perform pgq.register_consumer_at(i_queue_name, _watermark_name, i_watermark);
    select 200, _watermark_name || ' set to ' || i_watermark into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
