-- What maintenance has to do now, in order. The caller runs each row in a transaction of its own: vacuum on the named
-- table, anything else as select func_name(func_arg), again at once while it returns a number other than 0.
-- Execute: pgq_admin
create or replace function pgq.maint_operations(out func_name text, out func_arg text)
returns setof record
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    _queue record;
begin
    func_name := 'pgq.maint_rotate_tables_step1';
    for func_arg in
        select q.queue_name
          from pgq.queue q
         where q.queue_rotation_period is not null
           and q.queue_switch_step2 is not null
           and q.queue_switch_time + q.queue_rotation_period < pg_catalog.now()
         order by q.queue_name
    loop
        return next;
    end loop;

    if func_arg is not null or exists (select from pgq.queue q where q.queue_switch_step2 is null) then
        func_name := 'pgq.maint_rotate_tables_step2';
        func_arg := null;
        return next;
    end if;

    for func_name, func_arg in
        select m.name, q.queue_name
          from pgq.queue q
         cross join pg_catalog.unnest(q.queue_extra_maint) with ordinality m (name, number)
         order by q.queue_name, m.number
    loop
        return next;
    end loop;

    func_name := 'vacuum';
    for func_arg in
        select t.name from pgq.maint_tables_to_vacuum() t (name)
    loop
        return next;
    end loop;

    -- Dynamic, since the tables exist only where the functions do.
    if pgq._function_exists('pgq_node', 'maint_watermark') then
        func_name := 'pgq_node.maint_watermark';
        for func_arg in
            execute 'select n.queue_name from pgq_node.node_info n where n.node_type = ''root'' order by n.queue_name'
        loop
            return next;
        end loop;
    end if;
    if pgq._function_exists('londiste', 'root_check_seqs') then
        func_name := 'londiste.root_check_seqs';
        for func_arg in
            execute 'select distinct s.queue_name from londiste.seq_info s'
                    ' join pgq_node.node_info n on n.queue_name = s.queue_name'
                    ' where s.local and n.node_type = ''root'' order by s.queue_name'
        loop
            return next;
        end loop;
    end if;
    if pgq._function_exists('londiste', 'periodic_maintenance') then
        func_name := 'londiste.periodic_maintenance';
        func_arg := null;
        return next;
    end if;
end;
$$;

-- Is there a function of that name, whatever its arguments?
-- Execute: pgq_admin
create or replace function pgq._function_exists(i_schema text, i_name text)
returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select exists (
        select from pg_catalog.pg_proc p
          join pg_catalog.pg_namespace n on n.oid = p.pronamespace
         where n.nspname = i_schema and p.proname = i_name)
$$;
