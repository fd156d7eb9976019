-- Lists what could be added here: on a root the tables and sequences of the database that are not registered, on
-- other nodes what the set has and this node does not replicate.
--
-- Returns: rows in order of kind and name; obj_kind is S for a sequence, r for a table. A partitioned table stands
--   for its partitions, unless one of them is registered by itself: then the others are listed one by one.
-- Raises: queue does not exist
-- Calls: pgq_node.is_root_node
-- Execute: londiste_writer
create or replace function londiste.local_show_missing(
    in i_queue_name text,
    out obj_kind text,
    out obj_name text)
returns setof record as $$
begin
    if not pgq_node.is_root_node(i_queue_name) then
        return query
            select m.obj_kind, m.obj_name
            from (
                select 'S' as obj_kind, s.seq_name as obj_name
                from londiste.seq_info s
                where s.queue_name = i_queue_name and not s.local
                union all
                select 'r', t.table_name
                from londiste.table_info t
                where t.queue_name = i_queue_name and not t.local
            ) m
            order by m.obj_kind collate "C", m.obj_name collate "C";
        return;
    end if;

    return query
        with registered as (
            select 'S' as kind, s.seq_name as name
            from londiste.seq_info s
            where s.queue_name = i_queue_name and s.local
            union all
            select 'r', coalesce(t.dest_table, t.table_name)
            from londiste.table_info t
            where t.queue_name = i_queue_name and t.local
        ), present as (
            select c.oid, case c.relkind when 'S' then 'S' else 'r' end as kind,
                n.nspname || '.' || c.relname as name, c.relkind, c.relispartition
            from pg_catalog.pg_class c
            join pg_catalog.pg_namespace n on (n.oid = c.relnamespace)
            where c.relkind in ('r', 'p', 'S')
              and n.nspname not in ('pgq', 'pgq_ext', 'pgq_node', 'londiste', 'pg_catalog', 'information_schema')
              and n.nspname !~ '^pg_(toast|temp)'
        ), divided as (
            -- every table above a partition that is registered by itself
            select distinct a.relid as oid
            from present p
            join registered r on (r.kind = p.kind and r.name = p.name)
            cross join lateral pg_partition_ancestors(p.oid) a(relid)
            where p.relispartition and a.relid <> p.oid
        )
        select p.kind, p.name
        from present p
        where not exists (select 1 from registered r where r.kind = p.kind and r.name = p.name)
          and p.oid not in (select d.oid from divided d)
          and (not p.relispartition
               or exists (
                   select 1 from pg_inherits i join divided d on (d.oid = i.inhparent)
                   where i.inhrelid = p.oid))
        order by p.kind collate "C", p.name collate "C";
end;
$$ language plpgsql strict stable set search_path = pg_catalog, pg_temp;
