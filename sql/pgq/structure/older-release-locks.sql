-- Takes the locks under which the tables of an older release are changed, all at once and before any other: who holds
-- one of them and waits for the next would end a program of the database in a deadlock. While another transaction has one,
-- everybody is let through again and again, for as long as the session's lock_timeout says; 0: for ever.

do $locks$
declare
    _timeout text := pg_catalog.current_setting('lock_timeout');
    _deadline timestamptz := pg_catalog.clock_timestamp() + nullif(_timeout, '0')::interval;
    _tables text;
begin
    select pg_catalog.string_agg(c.oid::pg_catalog.regclass::text, ', ' order by c.oid) into _tables
      from pg_catalog.pg_class c
     where c.relnamespace = pg_catalog.to_regnamespace('pgq')
       and c.relname in ('queue', 'consumer', 'tick', 'subscription', 'retry_queue', 'failed_queue')
       and not exists (select from pg_catalog.pg_attribute a
                        where a.attrelid = pg_catalog.to_regclass('pgq.queue')
                          and a.attname = 'queue_retry_limit' and not a.attisdropped);
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
