-- Creates a partition of a table unless there is a relation of that name: inheriting, with indexes, constraints and
-- defaults, a check on the period, and the parent's table grants. londiste.create_partition does more; this one is for
-- databases without londiste.
--
-- Parameters:
--   i_table, i_part - raw names, schema public when they have none
--   i_pkeys         - not used
--   i_part_field    - column of the time; null or '' for no check
--   i_part_time     - some time in the partition
--   i_part_period   - length of the partition, a unit of date_trunc: hour, day, week, month, year
-- Returns: 1, or 0 when there is such a relation already
-- Raises: need table and part; relation does not exist
-- Locks: the parent against other calls
-- Execute: public
create or replace function public.create_partition(
    i_table text,
    i_part text,
    i_pkeys text,
    i_part_field text,
    i_part_time timestamptz,
    i_part_period text)
returns int4 as $$
declare
    _parent text;
    _part text;
    _field text := quote_ident(nullif(i_part_field, ''));
    _start timestamptz;
    _grant record;
begin
    if i_table is null or i_part is null then
        raise exception 'need table and part';
    end if;
    select string_agg(format('%I.%I', n.schema_name, n.table_name), ' ') filter (where n.is_parent),
            string_agg(format('%I.%I', n.schema_name, n.table_name), ' ') filter (where not n.is_parent)
        into _parent, _part
        from (
            select v.is_parent,
                case when position('.' in v.name) > 0 then split_part(v.name, '.', 1) else 'public' end as schema_name,
                case when position('.' in v.name) > 0 then substr(v.name, position('.' in v.name) + 1)
                    else v.name end as table_name
            from (values (true, i_table), (false, i_part)) v(is_parent, name)
        ) n;

    execute format('lock table %s in share update exclusive mode', _parent);
    if to_regclass(_part) is not null then
        return 0;
    end if;

    execute format('create table %s (like %s including all excluding identity excluding generated) inherits (%2$s)',
        _part, _parent);
    if _field is not null then
        _start := date_trunc(i_part_period, i_part_time);
        if _start is null then
            raise exception 'need time and period of partition %', i_part;
        end if;
        execute format('alter table %s add check (%s >= %L and %2$s < %4$L)', _part, _field,
            to_char(_start, 'YYYY-MM-DD HH24:MI:SS'),
            to_char(_start + ('1 ' || i_part_period)::interval, 'YYYY-MM-DD HH24:MI:SS'));
    end if;

    for _grant in
        select a.privilege_type, case a.grantee when 0 then 'public' else a.grantee::regrole::text end as grantee,
            case when a.is_grantable then ' with grant option' else '' end as with_option
        from pg_catalog.pg_class c
        cross join aclexplode(c.relacl) a
        where c.oid = _parent::regclass and a.grantee <> c.relowner
    loop
        execute format('grant %s on table %s to %s%s', _grant.privilege_type, _part, _grant.grantee, _grant.with_option);
    end loop;
    return 1;
end;
$$ language plpgsql;
