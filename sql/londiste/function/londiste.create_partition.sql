-- Creates a partition of a table unless there is a relation of that name. The partition inherits from the table and
-- gets its indexes, constraints, defaults, owner, grants, triggers and rules; foreign keys, policies and column grants
-- are not copied. Of a natively partitioned table it becomes a native range partition. Triggers that capture changes
-- into a queue report them as changes of the parent. Works by several sessions at once.
--
-- Parameters:
--   i_table, i_part - raw names; quoted identifiers are understood where no relation has the raw name
--   i_pkeys         - not used
--   i_part_field    - column of the time; null or '' for no range
--   i_part_time     - some time in the partition
--   i_part_period   - length of the partition, a unit of date_trunc: hour, day, week, month, year
-- Returns: 1, or 0 when there is such a relation already
-- Raises: need table and part; relation does not exist
-- Locks: londiste.table_info against other calls
-- Execute: londiste_writer
create or replace function londiste.create_partition(
    i_table text,
    i_part text,
    i_pkeys text,
    i_part_field text,
    i_part_time timestamptz,
    i_part_period text)
returns int4 as $$
declare
    _parent record;
    _part record;
    _part_name text;
    _field text := pg_catalog.quote_ident(nullif(i_part_field, ''));
    _start text;
    _end text;
begin
    if i_table is null or i_part is null then
        raise exception 'need table and part';
    end if;

    -- locking the parent instead would deadlock with the writers
    lock table londiste.table_info in share update exclusive mode;

    select c.oid, c.relkind, c.relowner, n.nspname, c.relname into _parent
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on (n.oid = c.relnamespace)
        where c.oid = coalesce(londiste.find_table_oid(i_table), pg_catalog.to_regclass(i_table));
    if not found then
        raise exception 'relation "%" does not exist', londiste.quote_fqname(i_table) using errcode = 'undefined_table';
    end if;

    select f.schema_part, f.name_part into _part from londiste.split_fqname(i_part) f;
    if londiste.find_table_oid(i_table) is null then
        select coalesce(p.name[2], p.name[1]), case when pg_catalog.cardinality(p.name) > 1 then p.name[1] else 'public' end
            into _part.name_part, _part.schema_part
            from pg_catalog.parse_ident(i_part) p(name);
    end if;
    perform 1 from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on (n.oid = c.relnamespace)
        where n.nspname = _part.schema_part and c.relname = _part.name_part;
    if found then
        return 0;
    end if;
    _part_name := pg_catalog.format('%I.%I', _part.schema_part, _part.name_part);

    if _field is not null then
        if i_part_time is null or i_part_period is null then
            raise exception 'need time and period of partition %', i_part;
        end if;
        _start := pg_catalog.to_char(pg_catalog.date_trunc(i_part_period, i_part_time), 'YYYY-MM-DD HH24:MI:SS');
        _end := pg_catalog.to_char(
            pg_catalog.date_trunc(i_part_period, i_part_time) + pg_catalog.concat('1 ', i_part_period)::interval,
            'YYYY-MM-DD HH24:MI:SS');
    end if;

    if _parent.relkind = 'p' then
        execute pg_catalog.format('create table %s partition of %I.%I for values from (%L) to (%L)',
            _part_name, _parent.nspname, _parent.relname, _start, _end);
    else
        -- inheritance brings the generation expressions
        execute pg_catalog.format(
            'create table %s (like %I.%I including all excluding identity excluding generated) inherits (%2$I.%3$I)',
            _part_name, _parent.nspname, _parent.relname);
        perform londiste._share_identity(_parent.oid, _part_name::pg_catalog.regclass);
        if _field is not null then
            execute pg_catalog.format('alter table %s add check (%s >= %L and %2$s < %4$L)', _part_name, _field, _start, _end);
        end if;
    end if;

    if _parent.relowner operator(pg_catalog.<>) current_user::pg_catalog.regrole then
        execute pg_catalog.format('alter table %s owner to %s', _part_name, _parent.relowner::pg_catalog.regrole);
    end if;
    perform londiste._copy_grants(_parent.oid, _part_name::pg_catalog.regclass);
    if _parent.relkind <> 'p' then
        perform londiste._copy_triggers(_parent.oid, _part_name::pg_catalog.regclass);
        perform londiste._copy_rules(_parent.oid, _part_name::pg_catalog.regclass);
    end if;
    return 1;
end;
$$ language plpgsql;

-- Lets the partition draw from the parent's sequences, so that values stay unique over all partitions.
create or replace function londiste._share_identity(i_parent oid, i_part oid)
returns void as $$
declare
    _column record;
begin
    for _column in
        select a.attname,
            pg_get_serial_sequence(i_parent::regclass::text, a.attname) as sequence_name
        from pg_attribute a
        where a.attrelid = i_parent and a.attidentity <> '' and not a.attisdropped
    loop
        execute format('alter table %s alter column %I set default nextval(%L)',
            i_part::regclass, _column.attname, _column.sequence_name);
    end loop;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;

create or replace function londiste._copy_grants(i_parent oid, i_part oid)
returns void as $$
declare
    _grant record;
begin
    for _grant in
        select string_agg(a.privilege_type, ', ' order by a.privilege_type) as privileges,
            case a.grantee when 0 then 'public' else a.grantee::regrole::text end as grantee,
            case when a.is_grantable then ' with grant option' else '' end as with_option
        from pg_class c
        cross join aclexplode(c.relacl) a
        where c.oid = i_parent and a.grantee <> c.relowner
        group by a.grantee, a.is_grantable
        order by a.grantee, a.is_grantable
    loop
        execute format('grant %s on table %s to %s%s',
            _grant.privileges, i_part::regclass, _grant.grantee, _grant.with_option);
    end loop;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
