create schema if not exists pgq_node;

-- Member list: one row for each known node of each queue, the only data that is kept on every node.
create table if not exists pgq_node.node_location (
    queue_name          text        not null,
    node_name           text        not null,
    node_location       text        not null,
    dead                boolean     not null default false,

    primary key (queue_name, node_name)
);

-- The local node of each cascaded queue. node_attrs is an urlencoded dictionary.
create table if not exists pgq_node.node_info (
    queue_name          text        not null primary key,
    node_type           text        not null,
    node_name           text        not null,
    worker_name         text,
    combined_queue      text,
    node_attrs          text,

    foreign key (queue_name, node_name) references pgq_node.node_location,
    check (node_type in ('root', 'branch', 'leaf')),
    check (case
        when node_type = 'root' then worker_name is not null and combined_queue is null
        when node_type = 'branch' then worker_name is not null and combined_queue is null
        when node_type = 'leaf' then worker_name is not null
        else false
    end)
);

-- Positions of the worker and of the other cascaded consumers of this database. known_tick_time is the time of the tick
-- known_tick_id: says something about last_tick_id only while the two ids are the same.
create table if not exists pgq_node.local_state (
    queue_name          text        not null,
    consumer_name       text        not null,
    provider_node       text        not null,
    last_tick_id        bigint      not null,
    cur_error           text,
    paused              boolean     not null default false,
    uptodate            boolean     not null default false,
    known_tick_id       bigint,
    known_tick_time     timestamptz,

    primary key (queue_name, consumer_name),
    foreign key (queue_name) references pgq_node.node_info,
    foreign key (queue_name, provider_node) references pgq_node.node_location
);

-- Nodes that read from the local node.
create table if not exists pgq_node.subscriber_info (
    queue_name          text        not null,
    subscriber_node     text        not null,
    worker_name         text        not null,
    watermark_name      text        not null,

    primary key (queue_name, subscriber_node),
    foreign key (queue_name) references pgq_node.node_info,
    foreign key (queue_name, subscriber_node) references pgq_node.node_location,
    foreign key (worker_name) references pgq.consumer (co_name),
    foreign key (watermark_name) references pgq.consumer (co_name)
);
