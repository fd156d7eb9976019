do $uninstall$
begin
    if pg_catalog.to_regnamespace('pgq') is null then
        return;
    end if;
    if pg_catalog.to_regclass('pgq_node.node_info') is not null then
        raise exception 'pgq cannot be removed from database %: cascaded nodes need it', pg_catalog.current_database()
            using errcode = 'dependent_objects_still_exist', hint = 'Drop the nodes and remove pgq_node first.';
    end if;
    if exists (select from pg_catalog.pg_extension e where e.extname = 'pgq') then
        raise exception 'pgq is an extension in database %', pg_catalog.current_database()
            using errcode = 'object_not_in_prerequisite_state', hint = 'Drop the queues, then drop extension pgq.';
    end if;
    -- Roles stay: they belong to the cluster, and other databases may use them.
    drop schema pgq cascade;
end;
$uninstall$;
