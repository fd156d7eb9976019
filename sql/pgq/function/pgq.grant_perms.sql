-- Gives a queue's tables the grants of pgq.event_template, and its sequences theirs. Returns 1.
-- Errors: Queue not found.
-- Execute: pgq_admin
create or replace function pgq.grant_perms(x_queue_name text)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    _queue record;
    _name text;
begin
    select q.queue_ntables, q.queue_data_pfx, q.queue_event_seq, q.queue_tick_seq
      into _queue
      from pgq.queue q
     where q.queue_name = x_queue_name;
    if not found then
        raise exception 'Queue not found';
    end if;

    execute format('grant select on %s, %s to public',
                   pgq.quote_fqname(_queue.queue_event_seq), pgq.quote_fqname(_queue.queue_tick_seq));
    execute format('grant usage on %s to pgq_admin', pgq.quote_fqname(_queue.queue_event_seq));

    for _name in
        select _queue.queue_data_pfx
        union all
        select _queue.queue_data_pfx || '_' || n from generate_series(0, _queue.queue_ntables - 1) n
    loop
        perform pgq._grant_perms_from('pgq', 'event_template',
                                      split_part(_name, '.', 1), substr(_name, strpos(_name, '.') + 1));
    end loop;
    return 1;
end;
$$;
