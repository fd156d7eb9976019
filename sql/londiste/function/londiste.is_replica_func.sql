-- Whether a function is one that captures changes of a table: PgQ's generic triggers, those that PgQ has generated for
-- one table, log_truncate.
-- Execute: public
create or replace function londiste.is_replica_func(func_oid oid)
returns boolean as $$
    select count(*) > 0
    from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on (n.oid = p.pronamespace)
    where p.oid = func_oid
      and ((n.nspname, p.proname) in (
              ('pgq', 'sqltriga'), ('pgq', 'logutriga'), ('pgq', 'jsontriga'), ('londiste', 'log_truncate'))
           or (n.nspname = 'pgq' and p.proname ~ '^capture_(json|urlenc|sql)_\d'));
$$ language sql strict stable set search_path = pg_catalog, pg_temp;
