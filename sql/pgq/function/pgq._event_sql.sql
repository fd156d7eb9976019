-- The query for the events between two snapshots, by id; NULL without tables.
--
-- These are what the end snapshot shows and the start snapshot does not. They lie in two places:
-- - in transactions from the start snapshot's xmax on, a range of the index on ev_txid;
-- - in transactions that were open at the start and not at the end, perhaps far back. Those right below the range
--   (each within 100 of the one before) widen it, so that it has to test visibility; the others are looked up one by one.
--   So an old transaction that stays open costs nothing.
-- i_condition holds for every row; i_tables are unquoted.
-- Execute: pgq_reader
create or replace function pgq._event_sql(i_tables text[], i_start txid_snapshot, i_end txid_snapshot, i_condition text)
returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$
declare
    _start_xmax bigint := txid_snapshot_xmax(i_start);
    _low bigint := _start_xmax;
    _end txid_snapshot;
    _txid bigint;
    _single bigint[];
    _range text;
    _list text;
    _columns text := 'select ev_id, ev_time, ev_txid, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4';
begin
    _single := array(
        select x.txid
          from txid_snapshot_xip(i_start) x (txid)
         where txid_visible_in_snapshot(x.txid, i_end)
         order by x.txid desc);
    foreach _txid in array _single
    loop
        exit when _low - 100 > _txid;
        _low := _txid;
    end loop;
    _single := array(select x.txid from unnest(_single) x (txid) where x.txid < _low);

    -- Comparing numbers spares most rows the call of the visibility function.
    _end := pgq._snapshot_from(i_end, _low);
    _range := format('ev_txid >= %s and ev_txid < %s', _low, txid_snapshot_xmax(_end));
    if txid_snapshot_xmin(_end) < txid_snapshot_xmax(_end) then
        _range := _range || format(
            ' and (ev_txid < %s or pg_catalog.txid_visible_in_snapshot(ev_txid, %L))', txid_snapshot_xmin(_end), _end);
    end if;
    if _low < _start_xmax then
        _range := _range || format(
            ' and (ev_txid >= %s or not pg_catalog.txid_visible_in_snapshot(ev_txid, %L))',
            _start_xmax, pgq._snapshot_from(i_start, _low));
    end if;
    if cardinality(_single) > 0 then
        _list := format('ev_txid = any (%L::bigint[])', _single);
    end if;
    return (select string_agg(
                       concat(_columns, ' from ', pgq.quote_fqname(t.name), ' where ', c.condition, ' and ', i_condition),
                       ' union all ' order by t.number, c.condition = _list)
                   || ' order by 1'
              from unnest(i_tables) with ordinality t (name, number)
             cross join unnest(array[_range, _list]) c (condition)
             where c.condition is not null);
end;
$$;

-- A snapshot that is the same for transactions from i_low on, without the open ones before.
-- Execute: pgq_reader
create or replace function pgq._snapshot_from(i_snapshot txid_snapshot, i_low bigint)
returns txid_snapshot
language sql immutable
set search_path = pg_catalog, pg_temp as $$
    select concat(coalesce(min(x.txid), txid_snapshot_xmax(i_snapshot)), ':', txid_snapshot_xmax(i_snapshot), ':',
                  string_agg(x.txid::text, ',' order by x.txid))::txid_snapshot
      from txid_snapshot_xip(i_snapshot) x (txid)
     where x.txid >= i_low
$$;
