-- Takes the locks under which the tables of an older release are changed, all at once and before any other: who holds
-- one of them and waits for the next would end a program of the database in a deadlock. Those of the cascade and of Londiste come
-- along, whichever module is the first of a transaction: a worker has its position locked when it comes to the queue. While another
-- transaction has one, everybody is let through again and again, for as long as the session's lock_timeout says; 0: for ever.

do $locks$
declare
    _timeout text := pg_catalog.current_setting('lock_timeout');
    _deadline timestamptz := pg_catalog.clock_timestamp() + nullif(_timeout, '0')::interval;
    _tables text;
begin
    select pg_catalog.string_agg(t.name, ', ' order by t.oid) into _tables
      from (
        select c.oid, c.oid::pg_catalog.regclass::text as name
          from (values ('pgq', '{queue,consumer,tick,subscription,retry_queue,failed_queue}'::text[], 'queue', 'queue_retry_limit'),
                       ('pgq_node', '{node_info,local_state}', 'node_info', 'node_attrs'),
                       ('pgq_node', '{node_info,local_state}', 'local_state', 'known_tick_time'),
                       ('londiste', '{table_info,applied_execute}', 'table_info', 'dest_table'),
                       ('londiste', '{table_info,applied_execute}', 'applied_execute', 'execute_attrs'))
               m (module, tables, marked_table, newest_column)
          join pg_catalog.pg_class c on c.relnamespace = pg_catalog.to_regnamespace(m.module) and c.relname = any (m.tables)
         where not exists (select from pg_catalog.pg_attribute a
                            where a.attrelid = pg_catalog.to_regclass(m.module || '.' || m.marked_table)
                              and a.attname = m.newest_column and not a.attisdropped)
        union
        select c.oid, c.oid::pg_catalog.regclass::text
          from pg_catalog.pg_constraint k
          join pg_catalog.pg_class c on c.relnamespace = k.connamespace and c.relname in ('table_info', 'applied_execute')
         where k.conrelid = pg_catalog.to_regclass('londiste.table_info') and k.conname = 'table_info_check'
           and pg_catalog.pg_get_constraintdef(k.oid) not like '%catching-up%') t;
    if _tables is null then
        return;
    end if;
    loop
        begin
            -- Below the usual deadlock_timeout: nobody is ended because of this.
            perform pg_catalog.set_config('lock_timeout', '300ms', true);
            execute 'lock table ' || _tables || ' in access exclusive mode';
            perform pg_catalog.set_config('lock_timeout', _timeout, true);
            return;
        exception
            when lock_not_available or deadlock_detected then
                if pg_catalog.clock_timestamp() >= _deadline then
                    raise;
                end if;
                perform pg_catalog.pg_sleep(0.1 + pg_catalog.random() * 0.2);
        end;
    end loop;
end;
$locks$;
