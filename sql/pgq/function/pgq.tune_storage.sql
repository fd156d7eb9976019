-- Sets the storage options of a queue's tables: filled to the brim, and no autovacuum, since rows are never changed and
-- tables are truncated. Returns 1, 0 for an unknown queue. Only the tables' owner can run it.
-- Execute: pgq_admin
create or replace function pgq.tune_storage(i_queue_name text)
returns integer
language plpgsql strict set search_path = pg_catalog, pg_temp as $$
declare
    _leaf text;
begin
    for _leaf in
        select q.queue_data_pfx || '_' || n.number
          from pgq.queue q
         cross join pg_catalog.generate_series(0, q.queue_ntables - 1) n (number)
         where q.queue_name = i_queue_name
    loop
        execute pg_catalog.format(
            'alter table %s set (fillfactor = 100, autovacuum_enabled = off, toast.autovacuum_enabled = off)',
            pgq.quote_fqname(_leaf));
    end loop;
    return case when found then 1 else 0 end;
end;
$$;
