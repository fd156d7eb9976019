-- Lists the triggers of a table that write into (or guard it for) a queue: those that call a capture function with
-- the queue as first argument, whoever created them and whatever their names. Triggers that a partition has from its
-- parent are left out: they come and go with the parent's.
--
-- Returns: arguments without the queue; is_row false for TRUNCATE and other statement triggers; definition is the
--   whole statement
-- Execute: londiste_writer
create or replace function londiste._queue_triggers(
    in i_queue_name text,
    in i_table oid,
    out trigger_name text,
    out function_oid oid,
    out arguments text[],
    out event_bits int4,
    out is_row boolean,
    out is_enabled boolean)
returns setof record as $$
begin
    return query
        select t.tgname::text, t.tgfoid, a.arguments[2:], t.tgtype::int4, t.tgtype & 1 > 0, t.tgenabled <> 'D'
        from pg_catalog.pg_trigger t
        cross join lateral (select londiste._trigger_arguments(t.tgargs) as arguments) a
        where t.tgrelid = i_table and not t.tgisinternal and t.tgparentid = 0
          and londiste.is_replica_func(t.tgfoid)
          and a.arguments[1] = i_queue_name
        order by t.tgname;
end;
$$ language plpgsql strict stable;

-- Splits what pg_trigger.tgargs holds: each argument ends with a zero byte, which no argument contains.
create or replace function londiste._trigger_arguments(i_tgargs bytea)
returns text[] as $$
begin
    return array(
        select convert_from(decode(m.bytes[1], 'hex'), getdatabaseencoding())
        from regexp_matches(encode(i_tgargs, 'hex'), '((?:(?!00)[0-9a-f]{2})*)00', 'g') with ordinality m(bytes, nr)
        order by m.nr);
end;
$$ language plpgsql strict stable;
