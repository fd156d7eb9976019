-- How an event reaches the current table of its queue without planning a statement each time.
--
-- The body of pgq.insert_event has a generated section: for every event table one static INSERT, whose plan each session
-- keeps, found by a binary search over queue ids. A table that is not there is written with a dynamic statement, so the
-- section may lag behind the queues at any time. It is brought up to date after a queue came or went, and never waits
-- for that: whoever finds the lock taken leaves the work to the next maintenance round. A function put in the place of
-- pgq.insert_event, as test suites do, has no such section and is left alone.

-- Generates the static inserts again if the queues have changed.
-- Execute: pgq_admin
create or replace function pgq._refresh_static_inserts()
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _begin constant text := E'-- static inserts\n';
    _end constant text := E'-- end of static inserts\n';
    _old text;
    _start integer;
    _new text;
begin
    -- An old snapshot does not show the queues of others.
    if current_setting('transaction_isolation') <> 'read committed'
       or not pg_try_advisory_xact_lock(1885828977, 0)
    then
        return;
    end if;
    _old := pg_get_functiondef('pgq.insert_event(text, text, text, text, text, text, text)'::regprocedure);
    _start := strpos(_old, _begin);
    if _start = 0 then
        return;
    end if;
    _new := left(_old, _start + length(_begin) - 1)
        || pgq._static_insert_branch(array(select q.queue_id from pgq.queue q order by q.queue_id))
        || substr(_old, strpos(_old, _end));
    if _new <> _old then
        execute _new;
    end if;
end;
$$;

-- One step of the binary search: the statements for some queues, in terms of the variables of pgq.insert_event.
-- Execute: none
create or replace function pgq._static_insert_branch(i_queues integer[])
returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    _count integer := pg_catalog.cardinality(i_queues);
begin
    if _count = 0 then
        return '';
    end if;
    if _count > 1 then
        return pg_catalog.format(E'if _queue operator(pg_catalog.<=) %s then\n%selse\n%send if;\n', i_queues[_count / 2],
            pgq._static_insert_branch(i_queues[1 : _count / 2]),
            pgq._static_insert_branch(i_queues[_count / 2 + 1 : _count]));
    end if;
    return (
        select pg_catalog.string_agg(pg_catalog.format(
                   E'if _queue operator(pg_catalog.=) %s and _table operator(pg_catalog.=) %s then\n'
                   'insert into %s (ev_id, ev_time, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4) '
                   'values (_id, pg_catalog.now(), $2, $3, $4, $5, $6, $7);\nreturn _id;\nend if;\n',
                   q.queue_id, n.number, pgq.quote_fqname(q.queue_data_pfx || '_' || n.number)), '' order by n.number)
          from pgq.queue q
         cross join pg_catalog.generate_series(0, q.queue_ntables - 1) n (number)
         where q.queue_id = i_queues[1]);
end;
$$;
