-- One row a job: when it wrote last, its last figures, its last warning or error. Jobs that went silent come first.
-- Execute: none
create or replace function log.job_status(
    out job_name text, out last_logged_at timestamptz, out figures jsonb,
    out problem_at timestamptz, out problem_level text, out problem text)
returns setof record
language sql stable set search_path = pg_catalog, pg_temp as $$
    with recursive job as (
        (select e.job_name from log.entry e order by e.job_name limit 1)
        union all
        select (select e.job_name from log.entry e where e.job_name > j.job_name order by e.job_name limit 1)
          from job j
         where j.job_name is not null
    )
    select j.job_name, latest.logged_at, statistics.figures, problem.logged_at, problem.level, problem.message
      from job j
     cross join lateral (
            select e.logged_at from log.entry e
             where e.job_name = j.job_name order by e.entry_id desc limit 1) latest
      left join lateral (
            select e.figures from log.entry e
             where e.job_name = j.job_name and e.figures is not null order by e.entry_id desc limit 1) statistics on true
      left join lateral (
            select e.logged_at, e.level, e.message from log.entry e
             where e.job_name = j.job_name and e.level in ('WARNING', 'ERROR', 'FATAL')
             order by e.entry_id desc limit 1) problem on true
     where j.job_name is not null
     order by latest.logged_at, j.job_name;
$$;
