create schema if not exists londiste;

-- Tables of a set, as this database knows them.
--   local           - replicated here; otherwise only known
--   merge_state     - null, in-copy, catching-up, wanna-sync:<tick>, do-sync:<tick> or ok
--   custom_snapshot - transactions on the copy source whose effect the copy already contains
--   dropped_ddl     - what has to be created again after a copy
--   table_attrs     - urlencoded dictionary
--   dest_table      - physical table, when its name differs from table_name
create table if not exists londiste.table_info (
    nr                  serial      not null,
    queue_name          text        not null,
    table_name          text        not null,
    local               boolean     not null default false,
    merge_state         text,
    custom_snapshot     text,
    dropped_ddl         text,
    table_attrs         text,
    dest_table          text,

    primary key (queue_name, table_name),
    foreign key (queue_name) references pgq_node.node_info on delete cascade,
    check (dropped_ddl is null or merge_state in ('in-copy', 'catching-up'))
);

-- Sequences of a set; last_value is what the root published last.
create table if not exists londiste.seq_info (
    nr                  serial      not null,
    queue_name          text        not null,
    seq_name            text        not null,
    local               boolean     not null default false,
    last_value          bigint      not null,

    primary key (queue_name, seq_name),
    foreign key (queue_name) references pgq_node.node_info on delete cascade
);

-- Scripts that ran here. One script id counts for all queues of the database.
create table if not exists londiste.applied_execute (
    queue_name          text        not null,
    execute_file        text        not null,
    execute_time        timestamptz not null default now(),
    execute_sql         text        not null,
    execute_attrs       text,

    primary key (execute_file)
);

-- Foreign keys that were dropped for a copy and wait for both tables to be in sync.
create table if not exists londiste.pending_fkeys (
    from_table          text        not null,
    to_table            text        not null,
    fkey_name           text        not null,
    fkey_def            text        not null,

    primary key (from_table, fkey_name)
);

-- How the initial copies of local tables get on. Written outside the transaction of the copy itself.
--   phase         - what the copy is doing, in its own words
--   total_rows, total_bytes - estimates from the source, null when unknown
--   error         - why the last attempt failed, null after a success
--   retry_time    - when the next attempt is due
create table if not exists londiste.copy_progress (
    queue_name          text        not null,
    table_name          text        not null,
    attempt             int4        not null default 1,
    copy_process        text,
    source_node         text,
    phase               text        not null,
    rows_copied         bigint      not null default 0,
    bytes_copied        bigint      not null default 0,
    total_rows          bigint,
    total_bytes         bigint,
    start_time          timestamptz not null default now(),
    heartbeat_time      timestamptz not null default now(),
    end_time            timestamptz,
    error               text,
    error_time          timestamptz,
    retry_time          timestamptz,

    primary key (queue_name, table_name)
);
