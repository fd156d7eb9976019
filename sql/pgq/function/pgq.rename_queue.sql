-- Gives a queue another name. Consumers keep their positions and must use the new name. Returns 1.
-- Refuses while something names the queue that this function cannot change: a cascaded node, or triggers; i_force
-- renames all the same, for callers who change those themselves.
-- Errors: Invalid NULL value; No such event queue; queue is cascaded; queue is used by triggers; a unique violation.
-- Locks: the queue's ticker, so that none waits for the row with other queues in its hands; the queue row FOR UPDATE.
-- Execute: pgq_admin
create or replace function pgq.rename_queue(i_queue_name text, i_new_name text, i_force boolean default false)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _is_cascaded boolean := false;
    _tables text;
begin
    if i_queue_name is null or i_new_name is null then
        raise exception 'Invalid NULL value';
    end if;
    perform pg_advisory_xact_lock(1885827444, q.queue_id) from pgq.queue q where q.queue_name = i_queue_name;
    perform from pgq.queue q where q.queue_name = i_queue_name for update;
    if not found then
        raise exception 'No such event queue';
    end if;
    if i_force is not true then
        if to_regclass('pgq_node.node_info') is not null then
            execute 'select exists (select from pgq_node.node_info n where n.queue_name = $1)'
               into _is_cascaded
              using i_queue_name;
        end if;
        if _is_cascaded then
            raise exception 'queue % is cascaded', i_queue_name;
        end if;
        -- Trigger arguments are stored with a zero byte after each.
        select string_agg(distinct t.tgrelid::regclass::text, ', ' order by t.tgrelid::regclass::text)
          into _tables
          from pg_trigger t
          join pg_proc p on p.oid = t.tgfoid
         where p.pronamespace = 'pgq'::regnamespace
           and position(convert_to(i_queue_name, getdatabaseencoding()) || '\x00'::bytea in t.tgargs) = 1;
        if _tables is not null then
            raise exception 'queue % is used by triggers on %', i_queue_name, _tables;
        end if;
    end if;
    update pgq.queue q set queue_name = i_new_name where q.queue_name = i_queue_name;
    return 1;
end;
$$;
