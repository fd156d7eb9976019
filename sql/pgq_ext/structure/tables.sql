-- What a consumer has done, kept in the database where it did it. Independent of pgq, which may live elsewhere.
create schema if not exists pgq_ext;
grant usage on schema pgq_ext to public;

create table if not exists pgq_ext.completed_tick (
    consumer_id     text    not null,
    subconsumer_id  text    not null,
    last_tick_id    bigint  not null,
    primary key (consumer_id, subconsumer_id)
);

create table if not exists pgq_ext.completed_batch (
    consumer_id     text    not null,
    subconsumer_id  text    not null,
    last_batch_id   bigint  not null,
    primary key (consumer_id, subconsumer_id)
);

create table if not exists pgq_ext.completed_event (
    consumer_id     text    not null,
    subconsumer_id  text    not null,
    batch_id        bigint  not null,
    event_id        bigint  not null,
    primary key (consumer_id, subconsumer_id, batch_id, event_id)
);

create table if not exists pgq_ext.partial_batch (
    consumer_id     text    not null,
    subconsumer_id  text    not null,
    cur_batch_id    bigint  not null,
    primary key (consumer_id, subconsumer_id)
);

create table if not exists pgq_ext.event_tag (
    consumer_id     text    not null,
    batch_id        bigint  not null,
    event_id        bigint  not null,
    retry_seconds   integer,
    failed_reason   text,
    primary key (consumer_id, batch_id, event_id)
);
