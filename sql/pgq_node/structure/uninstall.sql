do $uninstall$
begin
    if pg_catalog.to_regnamespace('pgq_node') is null then
        return;
    end if;
    if pg_catalog.to_regclass('londiste.table_info') is not null then
        raise exception 'pgq_node cannot be removed from database %: londiste needs it', pg_catalog.current_database()
            using errcode = 'dependent_objects_still_exist', hint = 'Remove the tables from replication and londiste first.';
    end if;
    if exists (select from pg_catalog.pg_extension e where e.extname = 'pgq_node') then
        raise exception 'pgq_node is an extension in database %', pg_catalog.current_database()
            using errcode = 'object_not_in_prerequisite_state', hint = 'Drop the nodes, then drop extension pgq_node.';
    end if;
    drop schema pgq_node cascade;
end;
$uninstall$;
