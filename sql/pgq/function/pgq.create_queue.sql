-- Creates a queue with its tables, sequences, grants and first tick.
-- Returns 1, or 0 when it exists already.
-- Errors: Invalid NULL value. Two creations of one name at once: the later one gets a unique violation.
-- Execute: pgq_admin
create or replace function pgq.create_queue(i_queue_name text)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _id integer;
    _prefix text;
    _ntables integer;
    _leaf text;
begin
    if i_queue_name is null then
        raise exception 'Invalid NULL value';
    end if;
    if exists (select from pgq.queue q where q.queue_name = i_queue_name) then
        return 0;
    end if;

    _id := nextval('pgq.queue_queue_id_seq');
    _prefix := 'pgq.event_' || _id;
    insert into pgq.queue (queue_id, queue_name, queue_data_pfx, queue_event_seq, queue_tick_seq)
    values (_id, i_queue_name, _prefix, _prefix || '_id_seq', _prefix || '_tick_seq')
    returning queue_ntables into _ntables;
    -- With one table a rotation would truncate the table that is being written.
    if _ntables < 2 then
        raise exception 'queue_ntables must be at least 2';
    end if;

    execute format('create sequence %s', _prefix || '_id_seq');
    execute format('create sequence %s', _prefix || '_tick_seq');
    execute format('create table %s () inherits (pgq.event_template)', _prefix);
    for _number in 0 .. _ntables - 1
    loop
        _leaf := _prefix || '_' || _number;
        execute format('create table %s () inherits (%s)', _leaf, _prefix);
        execute format('alter table %s alter column ev_id set default nextval(%L)', _leaf, _prefix || '_id_seq');
        execute format('create index %I on %s (ev_txid)', format('event_%s_%s_txid_idx', _id, _number), _leaf);
    end loop;

    perform pgq.grant_perms(i_queue_name);
    perform pgq.ticker(i_queue_name);
    perform pgq.tune_storage(i_queue_name);
    perform pgq._refresh_static_inserts();
    return 1;
end;
$$;
