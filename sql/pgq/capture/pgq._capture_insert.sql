-- PL/pgSQL text that writes events into a queue, for generated functions: straight into the current event table, which
-- is known by static SQL, or through pgq.insert_event when the queue is disabled, limited, renamed or gone, or when the
-- transaction's snapshot may be older than the last rotation. The function declares _table integer.

-- Looks up the current event table; NULL: go through pgq.insert_event.
-- Execute: none
create or replace function pgq._capture_current_table(i_queue text)
returns text as $$
    select format(E'if pg_catalog.current_setting(''transaction_isolation'') operator(pg_catalog.=) ''read committed'' then\n'
                  'select q.queue_cur_table into _table from pgq.queue q where q.queue_id operator(pg_catalog.=) %s '
                  'and q.queue_name operator(pg_catalog.=) %L and not q.queue_disable_insert '
                  'and q.queue_per_tx_limit is null;\nend if;\n',
                  q.queue_id, q.queue_name)
      from pgq.queue q
     where q.queue_name = i_queue;
$$ language sql stable set search_path = pg_catalog, pg_temp;

-- Inserts with a source (VALUES or a query of the columns type, data, extra1 .. extra4) into whichever table is current.
-- Execute: none
create or replace function pgq._capture_insert(i_queue text, i_source text, i_otherwise text)
returns text as $$
    select string_agg(format(E'%s _table operator(pg_catalog.=) %s then\n'
                             'insert into %s (ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4) %s;\n',
                             case n when 0 then 'if' else 'elsif' end, n,
                             pgq.quote_fqname(q.queue_data_pfx || '_' || n), i_source), '' order by n)
           || format(E'else\n%send if;\n', i_otherwise)
      from pgq.queue q, generate_series(0, q.queue_ntables - 1) n
     where q.queue_name = i_queue
     group by q.queue_id;
$$ language sql stable set search_path = pg_catalog, pg_temp;

-- Inserts the event _type, _data and i_extra, expressions for ev_extra1 .. ev_extra4.
-- Execute: none
create or replace function pgq._capture_insert_one(i_queue text, i_extra text[])
returns text as $$
begin
    return pgq._capture_insert(
        i_queue, format('values (pg_catalog.now(), _type, _data, %s)', array_to_string(i_extra, ', ')),
        format(E'perform pgq.insert_event(%L::pg_catalog.text, _type, _data, %s);\n',
               i_queue, array_to_string(i_extra, ', ')));
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- Inserts the events of a query (columns type, data, extra1 .. extra4) over transition tables.
-- Execute: none
create or replace function pgq._capture_insert_all(i_queue text, i_query text)
returns text as $$
begin
    return pgq._capture_insert(
        i_queue, format('select pg_catalog.now(), q.* from (%s) q', i_query), pgq._capture_insert_each(i_queue, i_query));
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- The same through pgq.insert_event, in the query's order.
-- Execute: none
create or replace function pgq._capture_insert_each(i_queue text, i_query text)
returns text as $$
begin
    return format(E'for _event in execute %L loop\n'
                  'perform pgq.insert_event(%L::pg_catalog.text, _event.type, _event.data, _event.extra1, _event.extra2, '
                  '_event.extra3, _event.extra4);\n'
                  'end loop;\n', i_query, i_queue);
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;
