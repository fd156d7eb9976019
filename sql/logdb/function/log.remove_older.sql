-- Removes records older than an interval, at most a number of them, so that one call stays short.
-- Returns how many were removed: call again while it is i_limit.
-- Execute: none
create or replace function log.remove_older(i_keep interval, i_limit integer default 10000)
returns bigint
language sql set search_path = pg_catalog, pg_temp as $$
    with gone as (
        delete from log.entry
         where entry_id in (select e.entry_id from log.entry e
                             where e.logged_at < now() - i_keep
                             order by e.logged_at limit i_limit)
        returning 1
    )
    select count(*) from gone;
$$;
