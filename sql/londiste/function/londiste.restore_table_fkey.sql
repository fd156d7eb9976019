-- Restores a dropped foreign key, at once or (i_lazy) without locking the tables while their rows are checked: then
-- the caller executes the returned statement, commits, and calls again until nothing is returned. A key that was not
-- validated or not enforced before is put back like that.
--
-- Returns: the next statement of a lazy restoration; '' when the key is in place or was not pending
-- Locks: the pending_fkeys row; both tables as ALTER TABLE does, when not lazy
-- Execute: londiste_writer
create or replace function londiste.restore_table_fkey(
    i_from_table text,
    i_fkey_name text,
    i_lazy boolean default false)
returns text as $$
declare
    _definition text;
    _is_checked boolean;
    _is_partitioned boolean;
    _present record;
begin
    select p.fkey_def into _definition
        from londiste.pending_fkeys p
        where p.from_table = i_from_table and p.fkey_name = i_fkey_name
        for update;
    if not found then
        return '';
    end if;

    _is_checked := _definition !~ ' NOT (VALID|ENFORCED)$';
    _is_partitioned := londiste.find_rel_oid(i_from_table, 'p') is not null;
    select c.convalidated into _present
        from pg_catalog.pg_constraint c
        where c.conrelid = londiste.find_table_oid(i_from_table)
          and c.conname = i_fkey_name and c.contype = 'f';

    if not found then
        if i_lazy then
            -- before PostgreSQL 18 a partitioned table cannot have unchecked keys
            if not _is_checked
                or (_is_partitioned and pg_catalog.current_setting('server_version_num')::int4 < 180000) then
                return _definition;
            end if;
            return _definition || ' not valid';
        end if;
        execute _definition;
    elsif i_lazy and _is_checked and not _present.convalidated then
        return pg_catalog.format('alter table %s%s validate constraint %I',
            case when _is_partitioned then '' else 'only ' end,
            londiste.quote_fqname(i_from_table), i_fkey_name);
    end if;

    delete from londiste.pending_fkeys p
        where p.from_table = i_from_table and p.fkey_name = i_fkey_name;
    return '';
end;
$$ language plpgsql strict;
