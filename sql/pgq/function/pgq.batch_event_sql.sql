-- The query that reads a batch's events: ten columns, ending in " order by 1". Ids and snapshots are in it as literals.
-- Errors: batch not found; could not construct sql for batch.
-- Execute: pgq_reader
create or replace function pgq.batch_event_sql(x_batch_id bigint)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off as $$
declare
    _batch record;
    _hidden bigint[];
    _sql text;
begin
    select s.sub_id, lt.tick_snapshot as start_snapshot, nt.tick_snapshot as end_snapshot
      into _batch
      from pgq.subscription s
      join pgq.tick lt on lt.tick_queue = s.sub_queue and lt.tick_id = s.sub_last_tick
      join pgq.tick nt on nt.tick_queue = s.sub_queue and nt.tick_id = s.sub_next_tick
     where s.sub_batch = x_batch_id;
    if not found then
        raise exception 'batch not found';
    end if;
    _hidden := array(select h.ev_id from pgq.hidden_event h where h.batch_id = x_batch_id order by h.ev_id);
    _sql := pgq._event_sql(
        array(select t.name from pgq.batch_event_tables(x_batch_id) t (name)),
        _batch.start_snapshot, _batch.end_snapshot,
        format('(ev_owner is null or ev_owner = %s)', _batch.sub_id)
        || case when cardinality(_hidden) > 0 then format(' and ev_id <> all (%L::bigint[])', _hidden) else '' end);
    if _sql is null then
        raise exception 'could not construct sql for batch %', x_batch_id;
    end if;
    return _sql;
end;
$$;
