-- Puts the triggers that capture TRUNCATE of single partitions on a replicated partitioned table and on those of its
-- partitions that lack them. Unlike row triggers, the server does not give them to partitions that are made later.
--
-- Parameters:
--   i_table_name - name in the set
--   i_table      - any table: nothing is done where it is not partitioned
-- Returns: how many were made
-- Locks: each of them in SHARE ROW EXCLUSIVE mode
-- Execute: londiste_writer
create or replace function londiste._guard_partitions(
    i_queue_name text,
    i_table_name text,
    i_table oid,
    i_node_type text)
returns int4 as $$
declare
    _name text := londiste._trigger_name('_londiste_' || i_queue_name, '_partition', 63);
    _arguments text[] := array[i_queue_name, i_table_name] || case when i_node_type = 'leaf' then array['deny'] end;
    _relation regclass;
    _count int4 := 0;
begin
    for _relation in
        select p.relid
        from pg_catalog.pg_partition_tree(i_table) p
        join pg_catalog.pg_class c on (c.oid = p.relid and c.relkind in ('r', 'p'))
        where exists (select 1 from pg_catalog.pg_class t where t.oid = i_table and t.relkind = 'p')
          and not exists (
              select 1 from londiste._partition_guards(i_queue_name, i_table) g
              where g.relation = p.relid and g.trigger_name = _name and g.arguments = _arguments)
        order by p.relid
    loop
        execute format('create or replace trigger %I before truncate on %s for each statement'
                ' execute function londiste.log_partition_truncate(%s)',
            _name, _relation,
            (select string_agg(quote_literal(u.argument), ', ' order by u.nr)
             from unnest(_arguments) with ordinality u(argument, nr)));
        _count := _count + 1;
    end loop;
    return _count;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;

-- Lists those triggers of a queue on a table and its partitions.
create or replace function londiste._partition_guards(
    in i_queue_name text,
    in i_table oid,
    out relation regclass,
    out trigger_name text,
    out arguments text[])
returns setof record as $$
begin
    return query
        select p.relid, t.tgname::text, londiste._trigger_arguments(t.tgargs)
        from pg_catalog.pg_partition_tree(i_table) p
        join pg_catalog.pg_trigger t on (t.tgrelid = p.relid)
        where t.tgfoid = 'londiste.log_partition_truncate'::regproc
          and (londiste._trigger_arguments(t.tgargs))[1] = i_queue_name;
end;
$$ language plpgsql strict stable set search_path = pg_catalog, pg_temp;
