-- Tables of PgQ. Column order and names are interface: clients use select *.

-- Held against pgq._refresh_static_inserts, which replaces a function that this script replaces too.
do $writer$
begin
    perform pg_catalog.pg_advisory_xact_lock(1885828977, 0);
end;
$writer$;

create schema if not exists pgq;

-- Names of consumers.
create table if not exists pgq.consumer (
    co_id       serial,
    co_name     text        not null,
    constraint consumer_pkey primary key (co_id),
    constraint consumer_name_uq unique (co_name)
);

-- One row a queue. The three name columns are data: readers take them from the row.
create table if not exists pgq.queue (
    queue_id                    serial,
    queue_name                  text        not null,
    queue_ntables               integer     not null default 3,
    queue_cur_table             integer     not null default 0,
    queue_rotation_period       interval    not null default '2 hours',
    queue_switch_step1          bigint      not null default pg_catalog.txid_current(),
    queue_switch_step2          bigint               default pg_catalog.txid_current(),
    queue_switch_time           timestamptz not null default pg_catalog.now(),
    queue_external_ticker       boolean     not null default false,
    queue_disable_insert        boolean     not null default false,
    queue_ticker_paused         boolean     not null default false,
    queue_ticker_max_count      integer     not null default 500,
    queue_ticker_max_lag        interval    not null default '3 seconds',
    queue_ticker_idle_period    interval    not null default '1 minute',
    queue_per_tx_limit          integer,
    queue_data_pfx              text        not null,
    queue_event_seq             text        not null,
    queue_tick_seq              text        not null,
    queue_extra_maint           text[],
    queue_retry_limit           integer,
    queue_retry_delay           interval    not null default '10 seconds',
    constraint queue_pkey primary key (queue_id),
    constraint queue_name_uq unique (queue_name)
);

-- Snapshots. The primary key is the only index: look-ups order by both columns in one direction.
create table if not exists pgq.tick (
    tick_queue      integer         not null,
    tick_id         bigint          not null,
    tick_time       timestamptz     not null default pg_catalog.now(),
    tick_snapshot   txid_snapshot   not null default pg_catalog.txid_current_snapshot(),
    tick_event_seq  bigint          not null,
    constraint tick_pkey primary key (tick_queue, tick_id),
    constraint tick_queue_fkey foreign key (tick_queue) references pgq.queue (queue_id)
);

-- Numbers of batches, unique over all queues of the database.
create sequence if not exists pgq.batch_id_seq;

-- Positions of consumers. sub_id owns retried events and is shared by cooperating subconsumers.
--
-- A position changes twice a batch, so a transaction that stays open leaves very many dead versions of each row behind.
-- sub_active is in the primary key so that no two versions have the same key: the newest is found first by
-- "order by sub_active desc limit 1", and no index operation has to walk over the dead ones. That there is one row for
-- a queue and consumer is ensured by pgq.register_consumer_at, under its lock on the consumer.
create table if not exists pgq.subscription (
    sub_id          serial          not null,
    sub_queue       integer         not null,
    sub_consumer    integer         not null,
    sub_last_tick   bigint,
    sub_active      timestamptz     not null default pg_catalog.now(),
    sub_batch       bigint,
    sub_next_tick   bigint,
    constraint subscription_pkey primary key (sub_queue, sub_consumer, sub_active),
    constraint subscription_batch_idx unique (sub_batch),
    constraint sub_queue_fkey foreign key (sub_queue) references pgq.queue (queue_id),
    constraint sub_consumer_fkey foreign key (sub_consumer) references pgq.consumer (co_id)
);

-- Ancestor of every event table; holds no rows. The default of ev_txid is what makes COPY into event tables right.
create table if not exists pgq.event_template (
    ev_id       bigint          not null,
    ev_time     timestamptz     not null,
    ev_txid     bigint          not null default pg_catalog.txid_current(),
    ev_owner    integer,
    ev_retry    integer,
    ev_type     text,
    ev_data     text,
    ev_extra1   text,
    ev_extra2   text,
    ev_extra3   text,
    ev_extra4   text
);

-- Events that wait for their redelivery to one owner.
create table if not exists pgq.retry_queue (
    ev_retry_after  timestamptz     not null,
    ev_queue        integer         not null,
    ev_id           bigint          not null,
    ev_time         timestamptz     not null,
    ev_txid         bigint,
    ev_owner        integer         not null,
    ev_retry        integer,
    ev_type         text,
    ev_data         text,
    ev_extra1       text,
    ev_extra2       text,
    ev_extra3       text,
    ev_extra4       text,
    constraint rq_pkey primary key (ev_owner, ev_id),
    constraint rq_queue_id_fkey foreign key (ev_queue) references pgq.queue (queue_id)
);

create index if not exists rq_retry_idx on pgq.retry_queue (ev_retry_after);

-- Events that their consumer has given up. They are copies: rotation does not wait for them.
create table if not exists pgq.failed_queue (
    ev_failed_reason    text,
    ev_failed_time      timestamptz     not null,
    ev_queue            integer         not null,
    ev_id               bigint          not null,
    ev_time             timestamptz     not null,
    ev_txid             bigint,
    ev_owner            integer         not null,
    ev_retry            integer,
    ev_type             text,
    ev_data             text,
    ev_extra1           text,
    ev_extra2           text,
    ev_extra3           text,
    ev_extra4           text,
    constraint fq_pkey primary key (ev_owner, ev_id),
    constraint fq_queue_id_fkey foreign key (ev_queue) references pgq.queue (queue_id)
);

-- Events that are left out when an open batch is read. Rows of closed batches mean nothing; maintenance removes them.
create table if not exists pgq.hidden_event (
    batch_id    bigint      not null,
    ev_id       bigint      not null,
    constraint hidden_event_pkey primary key (batch_id, ev_id)
);
