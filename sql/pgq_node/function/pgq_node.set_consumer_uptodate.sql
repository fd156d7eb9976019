-- Acknowledges (or, with false, asks for) a fresh look at the consumer's row.
--
-- Returns: 200, or 404 for an unknown consumer
-- Execute: pgq_writer, pgq_admin
create or replace function pgq_node.set_consumer_uptodate(
    in i_queue_name text,
    in i_consumer_name text,
    in i_uptodate boolean,
    out ret_code int4,
    out ret_note text)
returns record as $$
begin
    update pgq_node.local_state s
        set uptodate = i_uptodate
        where s.queue_name = i_queue_name and s.consumer_name = i_consumer_name;
    if not found then
        select 404, 'Consumer not known: ' || i_queue_name || '/' || i_consumer_name into ret_code, ret_note;
        return;
    end if;
    select 200, 'Consumer uptodate = ' || i_uptodate::int4 into ret_code, ret_note;
end;
$$ language plpgsql security definer set search_path = pg_catalog, pg_temp;
