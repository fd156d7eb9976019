-- Deals with the other queues that bring the same physical table to this database, when a leaf adds it: queues with
-- the same combined queue, or without one the others without one. With merge_all, or when nothing has to be copied,
-- they get the same registration; those that replicate the table already keep theirs, a copy may be under way there.
-- Queues whose root is here are no sources.
--
-- Returns: 200, or 405 before anything is changed
--   405 - one of them replicates the table already; there are several and merge_all was not asked for
-- Execute: londiste_writer
create or replace function londiste._merge_sources(
    in i_queue_name text,
    in i_combined_queue text,
    in i_dest_table text,
    in i_description text,
    in i_is_merge_all boolean,
    in i_state text,
    in i_attrs text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _other record;
begin
    for _other in
        select t.queue_name, t.table_name, t.local
        from londiste.table_info t
        join pgq_node.node_info n on (n.queue_name = t.queue_name)
        where t.queue_name <> i_queue_name
          and n.node_type <> 'root'
          and n.combined_queue is not distinct from i_combined_queue
          and coalesce(t.dest_table, t.table_name) = i_dest_table
        order by t.local desc, t.queue_name
    loop
        if i_state is distinct from 'ok' and _other.local then
            select 405, 'Found local table ' || i_description || ' in queue ' || _other.queue_name
                    || ', use remove-table first to remove all previous table subscriptions'
                into ret_code, ret_note;
            return;
        end if;
        if i_state is distinct from 'ok' and not i_is_merge_all then
            select 405, 'Found multiple sources for table ' || i_description
                    || ', use merge-all or no-merge to continue'
                into ret_code, ret_note;
            return;
        end if;
        continue when _other.local;

        update londiste.table_info t
            set local = true, merge_state = i_state, table_attrs = coalesce(i_attrs, t.table_attrs)
            where t.queue_name = _other.queue_name and t.table_name = _other.table_name;
        if not found then
            raise exception 'lost table: % on queue %', _other.table_name, _other.queue_name;
        end if;
    end loop;
    select 200, 'Ok' into ret_code, ret_note;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
