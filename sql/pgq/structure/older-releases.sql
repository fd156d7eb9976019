-- What has to go or change before the functions of this release can be created over an older one. Nothing on a fresh
-- database, and nothing the second time.

-- PgQ 2.1: columns and keys that came with 3.0, and functions over composite types that went.
do $from_2$
declare
    _function text;
    _type text;
begin
    if exists (select from pg_catalog.pg_attribute a
                where a.attrelid = 'pgq.queue'::pg_catalog.regclass and a.attname = 'queue_disable_insert')
    then
        return;
    end if;

    for _function in
        select p.oid::pg_catalog.regprocedure::text
          from pg_catalog.pg_proc p
         where p.pronamespace = 'pgq'::pg_catalog.regnamespace
           and (p.prorettype::pg_catalog.regtype::text ~ '^pgq\.ret_'
                or p.proname in ('failed_event_list', 'failed_event_count', 'failed_event_delete', 'failed_event_retry',
                                 'event_failed', 'register_consumer', 'ticker', 'get_batch_events', 'maint_operations'))
    loop
        execute 'drop function ' || _function;
    end loop;
    foreach _type in array '{ret_queue_info,ret_consumer_info,ret_batch_info,ret_batch_event}'::text[]
    loop
        execute pg_catalog.format('drop type if exists pgq.%I', _type);
    end loop;

    alter table pgq.queue
        add column queue_disable_insert boolean not null default false,
        add column queue_ticker_paused boolean not null default false,
        add column queue_per_tx_limit integer;
    alter table pgq.tick add column tick_event_seq bigint;

    alter table pgq.retry_queue add column ev_queue integer;
    update pgq.retry_queue r set ev_queue = s.sub_queue from pgq.subscription s where s.sub_id = r.ev_owner;
    alter table pgq.retry_queue
        alter column ev_queue set not null,
        drop constraint if exists rq_owner_fkey,
        add constraint rq_queue_id_fkey foreign key (ev_queue) references pgq.queue (queue_id);
    drop index if exists pgq.rq_retry_owner_idx;

    alter table pgq.failed_queue add column if not exists ev_queue integer;
    update pgq.failed_queue f set ev_queue = s.sub_queue from pgq.subscription s where s.sub_id = f.ev_owner;
    alter table pgq.failed_queue
        alter column ev_queue set not null,
        drop constraint if exists fq_owner_fkey,
        drop constraint if exists fq_queue_id_fkey,
        add constraint fq_queue_id_fkey foreign key (ev_queue) references pgq.queue (queue_id);

    alter table pgq.subscription
        alter column sub_last_tick drop not null,
        drop constraint subscription_pkey,
        drop constraint if exists subscription_ukey,
        drop constraint if exists subscription_batch_idx,
        add constraint subscription_pkey primary key (sub_queue, sub_consumer, sub_active),
        add constraint subscription_batch_idx unique (sub_batch);
end;
$from_2$;
