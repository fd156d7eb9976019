-- Names, unquoted, of the tables that may hold events of a batch: the previous table, the current one, or both in that
-- order. Errors: Cannot find data for batch.
-- Execute: pgq_reader
create or replace function pgq.batch_event_tables(x_batch_id bigint)
returns setof text
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off as $$
declare
    _batch record;
    _previous text;
    _current text;
begin
    select pg_catalog.txid_snapshot_xmin(lt.tick_snapshot) as begin_xmin,
           pg_catalog.txid_snapshot_xmax(nt.tick_snapshot) as end_xmax,
           q.queue_switch_step1, q.queue_switch_step2, q.queue_cur_table, q.queue_ntables, q.queue_data_pfx
      into _batch
      from pgq.subscription s
      join pgq.queue q on q.queue_id = s.sub_queue
      join pgq.tick lt on lt.tick_queue = s.sub_queue and lt.tick_id = s.sub_last_tick
      join pgq.tick nt on nt.tick_queue = s.sub_queue and nt.tick_id = s.sub_next_tick
     where s.sub_batch = x_batch_id;
    if not found then
        raise exception 'Cannot find data for batch %', x_batch_id;
    end if;

    _current := _batch.queue_data_pfx || '_' || _batch.queue_cur_table;
    _previous := _batch.queue_data_pfx || '_'
        || (_batch.queue_cur_table + _batch.queue_ntables - 1) % _batch.queue_ntables;
    if _batch.end_xmax < _batch.queue_switch_step1 then
        return next _previous;
    elsif _batch.begin_xmin > _batch.queue_switch_step2 then
        return next _current;
    else
        return next _previous;
        return next _current;
    end if;
end;
$$;
