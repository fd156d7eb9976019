-- Brings the tables of an earlier release to the current shape and creates the roles.
--
-- Returns: number of changes made
-- Execute: londiste_writer
create or replace function londiste.upgrade_schema()
returns int4 as $$
declare
    _changes int4 := 0;
    _wanted record;
begin
    for _wanted in
        select *
        from (values ('table_info', 'dest_table'), ('applied_execute', 'execute_attrs')) v(table_name, column_name)
    loop
        perform 1 from pg_catalog.pg_attribute a
            where a.attrelid = ('londiste.' || _wanted.table_name)::regclass
              and a.attname = _wanted.column_name and not a.attisdropped;
        if not found then
            execute format('alter table londiste.%I add column %I text', _wanted.table_name, _wanted.column_name);
            _changes := _changes + 1;
        end if;
    end loop;

    perform 1 from pg_catalog.pg_constraint c
        where c.conrelid = 'londiste.table_info'::regclass and c.conname = 'table_info_check'
          and pg_get_constraintdef(c.oid) not like '%catching-up%';
    if found then
        alter table londiste.table_info drop constraint table_info_check;
        alter table londiste.table_info add constraint table_info_check
            check (dropped_ddl is null or merge_state in ('in-copy', 'catching-up'));
        _changes := _changes + 1;
    end if;

    -- bit 1 of tgtype says BEFORE; the current trigger is created after this function ran
    perform 1 from pg_catalog.pg_trigger t
        where t.tgrelid = 'londiste.table_info'::regclass and t.tgname = 'table_info_trigger_sync'
          and t.tgtype & 2 = 0;
    if found then
        drop trigger table_info_trigger_sync on londiste.table_info;
        _changes := _changes + 1;
    end if;

    -- asked first, since also a change of nothing locks the table
    perform 1 from pg_catalog.pg_constraint c
        where c.conrelid = 'londiste.applied_execute'::regclass and c.conname = 'applied_execute_queue_name_fkey';
    if found then
        alter table londiste.applied_execute drop constraint applied_execute_queue_name_fkey;
    end if;
    perform 1 from pg_catalog.pg_constraint c
        where c.conrelid = 'londiste.applied_execute'::regclass and c.contype = 'p'
          and array_length(c.conkey, 1) > 1;
    if found then
        delete from londiste.applied_execute a
            using londiste.applied_execute b
            where a.execute_file = b.execute_file
              and (a.execute_time, a.queue_name) < (b.execute_time, b.queue_name);
        alter table londiste.applied_execute drop constraint applied_execute_pkey;
        alter table londiste.applied_execute add constraint applied_execute_pkey primary key (execute_file);
        _changes := _changes + 1;
    end if;

    for _wanted in
        select *
        from (values ('londiste_reader', 'pgq_reader'), ('londiste_writer', 'pgq_admin')) v(role_name, member_of)
    loop
        perform 1 from pg_catalog.pg_roles r where r.rolname = _wanted.role_name;
        if not found then
            begin
                execute format('create role %I in role %I', _wanted.role_name, _wanted.member_of);
                _changes := _changes + 1;
            exception
                -- roles belong to the cluster: another database may be installing at the same time
                when duplicate_object or unique_violation then
                    null;
            end;
        end if;
    end loop;

    return _changes;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
