-- Functions whose arguments or result changed since an earlier release are replaced, not redefined.
do $$
declare
    _old record;
begin
    perform londiste.upgrade_schema();

    for _old in
        select p.oid::regprocedure as signature, e.extname as extension
        from (values
            ('restore_table_fkey(text,text)', null),
            ('get_table_list(text)', '{i_queue_name,table_name,local,merge_state,custom_snapshot,table_attrs,dropped_ddl,copy_role,copy_pos,dest_table}'),
            ('find_seq_oid(text)', '{seq}'),
            ('find_table_oid(text)', '{tbl}'),
            ('find_rel_oid(text,text)', '{i_fqname,i_kind}'),
            ('find_table_fkeys(text)', '{i_table_name}')
        ) v(signature, argument_names)
        join pg_catalog.pg_proc p on (p.oid = to_regprocedure('londiste.' || v.signature))
        left join pg_catalog.pg_depend d
            on (d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
        left join pg_catalog.pg_extension e on (e.oid = d.refobjid)
        where p.proargnames is distinct from v.argument_names::text[]
           or (p.proname = 'find_table_fkeys' and p.prorettype <> 'londiste.pending_fkeys'::regtype)
    loop
        if _old.extension is not null then
            execute format('alter extension %I drop function %s', _old.extension, _old.signature);
        end if;
        execute format('drop function %s', _old.signature);
    end loop;
end;
$$;
