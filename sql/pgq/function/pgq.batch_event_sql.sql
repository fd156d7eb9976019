-- The query that reads a batch's events: ten columns, ending in " order by 1". Ids and snapshots are in it as literals.
-- Errors: batch not found; could not construct sql for batch.
--
-- A batch is what the end tick's snapshot shows and the start tick's does not. Its events lie in two places:
-- - in transactions from the start snapshot's xmax on, a range of the index on ev_txid;
-- - in transactions that were open at the start and not at the end, perhaps far back. Those right below the range
--   (each within 100 of the one before) widen it, so that it has to test visibility; the others are looked up one by one.
--   So an old transaction that stays open costs nothing.
-- Execute: pgq_reader
create or replace function pgq.batch_event_sql(x_batch_id bigint)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off as $$
declare
    _batch record;
    _low bigint;
    _start_xmax bigint;
    _end_xmin bigint;
    _end_xmax bigint;
    _txid bigint;
    _single bigint[];
    _owner text;
    _range text;
    _list text;
    _table text;
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

    _start_xmax := pg_catalog.txid_snapshot_xmax(_batch.start_snapshot);
    _end_xmin := pg_catalog.txid_snapshot_xmin(_batch.end_snapshot);
    _end_xmax := pg_catalog.txid_snapshot_xmax(_batch.end_snapshot);
    _low := _start_xmax;
    _single := array(
        select x.txid
          from pg_catalog.txid_snapshot_xip(_batch.start_snapshot) x (txid)
         where pg_catalog.txid_visible_in_snapshot(x.txid, _batch.end_snapshot)
         order by x.txid desc);
    foreach _txid in array _single
    loop
        exit when _low - 100 > _txid;
        _low := _txid;
    end loop;
    _single := array(select x.txid from pg_catalog.unnest(_single) x (txid) where x.txid < _low);

    _owner := pg_catalog.format(' and (ev_owner is null or ev_owner = %s)', _batch.sub_id);
    -- Comparing numbers spares most rows the call of the visibility function.
    _range := pg_catalog.format(
        'ev_txid >= %s and ev_txid < %s and (ev_txid < %s or pg_catalog.txid_visible_in_snapshot(ev_txid, %L))',
        _low, _end_xmax, _end_xmin, _batch.end_snapshot);
    if _low < _start_xmax then
        _range := _range || pg_catalog.format(
            ' and (ev_txid >= %s or not pg_catalog.txid_visible_in_snapshot(ev_txid, %L))', _start_xmax, _batch.start_snapshot);
    end if;
    if pg_catalog.cardinality(_single) > 0 then
        _list := pg_catalog.format('ev_txid = any (%L::bigint[])', _single);
    end if;

    for _table in
        select pgq.quote_fqname(t.name) from pgq.batch_event_tables(x_batch_id) t (name)
    loop
        _sql := pg_catalog.concat(_sql || ' union all ', pgq._event_select(_table, _range || _owner),
                                  ' union all ' || pgq._event_select(_table, _list || _owner));
    end loop;
    if _sql is null then
        raise exception 'could not construct sql for batch %', x_batch_id;
    end if;
    return _sql || ' order by 1';
end;
$$;

-- One part of the query; NULL without a condition.
-- Execute: pgq_reader
create or replace function pgq._event_select(i_table text, i_condition text)
returns text
language sql immutable strict as $$
    select pg_catalog.concat(
        'select ev_id, ev_time, ev_txid, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4 from ',
        i_table, ' where ', i_condition)
$$;
