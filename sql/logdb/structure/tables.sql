-- The log database of skylog's LogDBHandler: many jobs write here, by log.add() only.
do $roles$
begin
    if not exists (select 1 from pg_catalog.pg_roles where rolname = 'log_writer') then
        create role log_writer;
    end if;
exception
    when duplicate_object or unique_violation then
        null;  -- another installation was faster
end;
$roles$;

create schema if not exists log;

create table if not exists log.entry (
    entry_id    bigint      not null generated always as identity primary key,
    logged_at   timestamptz not null default clock_timestamp(),
    job_name    text        not null,
    level       text        not null,
    message     text        not null,
    -- the figures of a statistics line, null for other messages
    figures     jsonb
);

create index if not exists entry_job_name_idx on log.entry (job_name, entry_id);
create index if not exists entry_logged_at_idx on log.entry (logged_at);
