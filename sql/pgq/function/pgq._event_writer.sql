-- How an event reaches the current table of its queue without planning a statement each time.
--
-- pgq._write_event is generated: for every event table one static INSERT, whose plan each session keeps, found by a
-- binary search over queue ids. It says false for a table that it does not know, and the caller writes with a dynamic
-- statement instead, so it may lag behind the queues at any time. pgq._refresh_event_writer brings it up to date after a
-- queue came or went; it never waits: whoever finds the lock taken leaves the work to the next maintenance round.
-- Nothing here carries SET search_path, which would cost more than the look-up; every name and operator is qualified
-- instead, because the caller of pgq.insert_event chooses the search path.

-- Writes one event into table number i_table of a queue; false if that table is not known here.
-- Execute: pgq_admin
create or replace function pgq._write_event(
    i_queue integer, i_table integer, i_id bigint, i_time timestamptz, i_owner integer, i_retry integer,
    i_type text, i_data text, i_extra1 text, i_extra2 text, i_extra3 text, i_extra4 text)
returns boolean
language plpgsql as $$
begin
    return false;
end;
$$;

-- The same with a statement planned for this one event. i_prefix is queue_data_pfx.
-- Execute: pgq_admin
create or replace function pgq._write_event_dynamic(
    i_prefix text, i_table integer, i_id bigint, i_time timestamptz, i_owner integer, i_retry integer,
    i_type text, i_data text, i_extra1 text, i_extra2 text, i_extra3 text, i_extra4 text)
returns void
language plpgsql as $$
begin
    execute pg_catalog.concat('insert into ', pgq.quote_fqname(pg_catalog.concat(i_prefix, '_', i_table)),
        ' (ev_id, ev_time, ev_owner, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4)',
        ' values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)')
    using i_id, i_time, i_owner, i_retry, i_type, i_data, i_extra1, i_extra2, i_extra3, i_extra4;
end;
$$;

-- Generates pgq._write_event again if the queues have changed.
-- Execute: pgq_admin
create or replace function pgq._refresh_event_writer()
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _body text;
begin
    -- An old snapshot does not show the queues of others.
    if current_setting('transaction_isolation') <> 'read committed'
       or not pg_try_advisory_xact_lock(1885828977, 0)
    then
        return;
    end if;
    _body := pgq._event_writer_body();
    if exists (select from pg_proc p
                where p.pronamespace = 'pgq'::regnamespace and p.proname = '_write_event' and p.prosrc = _body)
    then
        return;
    end if;
    execute format(
        'create or replace function pgq._write_event('
        'i_queue integer, i_table integer, i_id bigint, i_time timestamptz, i_owner integer, i_retry integer, '
        'i_type text, i_data text, i_extra1 text, i_extra2 text, i_extra3 text, i_extra4 text) '
        'returns boolean language plpgsql as %L', _body);
end;
$$;

-- One step of the binary search: the statements for some queues.
-- Execute: none
create or replace function pgq._event_writer_branch(i_queues integer[])
returns text
language plpgsql stable as $$
declare
    _count integer := pg_catalog.cardinality(i_queues);
    _text text;
begin
    if _count = 0 then
        return E'return false;\n';
    end if;
    if _count > 1 then
        return pg_catalog.format(E'if i_queue operator(pg_catalog.<=) %s then\n%selse\n%send if;\n', i_queues[_count / 2],
            pgq._event_writer_branch(i_queues[1 : _count / 2]),
            pgq._event_writer_branch(i_queues[_count / 2 + 1 : _count]));
    end if;
    select pg_catalog.string_agg(pg_catalog.format(
               E'if i_queue operator(pg_catalog.=) %s and i_table operator(pg_catalog.=) %s then\n'
               'insert into %s (ev_id, ev_time, ev_owner, ev_retry, ev_type, ev_data, '
               'ev_extra1, ev_extra2, ev_extra3, ev_extra4) values (i_id, i_time, i_owner, i_retry, i_type, i_data, '
               'i_extra1, i_extra2, i_extra3, i_extra4);\nreturn true;\nend if;\n',
               q.queue_id, n.number, pgq.quote_fqname(q.queue_data_pfx || '_' || n.number)), '' order by n.number)
           || E'return false;\n'
      into _text
      from pgq.queue q
     cross join pg_catalog.generate_series(0, q.queue_ntables - 1) n (number)
     where q.queue_id = i_queues[1];
    return _text;
end;
$$;

-- The text of pgq._write_event for the queues of now.
-- Execute: none
create or replace function pgq._event_writer_body()
returns text
language sql stable as $$
    select pg_catalog.concat(E'\nbegin\n', pgq._event_writer_branch(array(
        select q.queue_id from pgq.queue q order by q.queue_id)), E'end;\n')
$$;
