-- Functions whose result changed since an earlier release are replaced, not redefined.
do $$
declare
    _function regprocedure := to_regprocedure('pgq_node.get_node_info(text)');
    _extension name;
begin
    perform pgq_node.upgrade_schema();

    if _function is null or exists (
            select 1 from pg_catalog.pg_proc p
            where p.oid = _function and p.proargnames[array_upper(p.proargnames, 1)] = 'target_for') then
        return;
    end if;

    select e.extname into _extension
        from pg_catalog.pg_depend d
        join pg_catalog.pg_extension e on (e.oid = d.refobjid)
        where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = _function and d.deptype = 'e';
    if found then
        execute format('alter extension %I drop function %s', _extension, _function);
    end if;
    drop function pgq_node.get_node_info(text);
end;
$$;
