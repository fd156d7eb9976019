-- Lists the triggers of a table that write into (or guard it for) a queue: those that call a capture function with
-- the queue as first argument, whoever created them and whatever their names. Triggers that a partition has from its
-- parent are left out: they come and go with the parent's.
--
-- Returns: rows in order of name; function_name with schema, unquoted; arguments without the queue; event_bits as
--   pg_trigger.tgtype
-- Execute: londiste_writer
create or replace function londiste._queue_triggers(
    in i_queue_name text,
    in i_table oid,
    out trigger_name text,
    out function_name text,
    out arguments text[],
    out event_bits int4,
    out is_truncate boolean,
    out is_enabled boolean)
returns setof record as $$
begin
    return query
        select t.tgname::text, n.nspname || '.' || p.proname, a.arguments[2:],
            t.tgtype::int4, t.tgtype & 32 > 0, t.tgenabled <> 'D'
        from pg_catalog.pg_trigger t
        join pg_catalog.pg_proc p on (p.oid = t.tgfoid)
        join pg_catalog.pg_namespace n on (n.oid = p.pronamespace)
        cross join lateral (select londiste._trigger_arguments(t.tgargs) as arguments) a
        where t.tgrelid = i_table and not t.tgisinternal and t.tgparentid = 0
          and londiste.is_replica_func(t.tgfoid)
          and a.arguments[1] = i_queue_name
        order by t.tgname;
end;
$$ language plpgsql strict stable set search_path = pg_catalog, pg_temp;

-- Splits what pg_trigger.tgargs holds: each argument ends with a zero byte, which no argument contains.
create or replace function londiste._trigger_arguments(i_tgargs bytea)
returns text[] as $$
begin
    return array(
        select convert_from(decode(m.bytes[1], 'hex'), getdatabaseencoding())
        from regexp_matches(encode(i_tgargs, 'hex'), '((?:(?!00)[0-9a-f]{2})*)00', 'g') with ordinality m(bytes, nr)
        order by m.nr);
end;
$$ language plpgsql strict stable set search_path = pg_catalog, pg_temp;
