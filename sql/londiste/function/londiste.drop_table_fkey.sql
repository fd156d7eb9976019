-- Drops a foreign key and remembers its definition in pending_fkeys, in place of an older one of that name.
--
-- Returns: 1, or 0 when there is no such foreign key
-- Locks: both tables, as ALTER TABLE does
-- Calls: londiste.find_table_fkeys
-- Execute: londiste_writer
create or replace function londiste.drop_table_fkey(i_from_table text, i_fkey_name text)
returns int4 as $$
declare
    _fkey londiste.pending_fkeys;
    _only text;
begin
    select f.* into _fkey
        from londiste.find_table_fkeys(i_from_table) f
        where f.from_table = i_from_table and f.fkey_name = i_fkey_name;
    if not found then
        return 0;
    end if;

    insert into londiste.pending_fkeys (from_table, to_table, fkey_name, fkey_def)
        values (_fkey.from_table, _fkey.to_table, _fkey.fkey_name, _fkey.fkey_def)
        on conflict (from_table, fkey_name) do update
        set to_table = excluded.to_table, fkey_def = excluded.fkey_def;

    -- a key of a partitioned table cannot be dropped from the parent only
    _only := case when londiste.find_rel_oid(i_from_table, 'p') is null then 'only ' else '' end;
    execute pg_catalog.format('alter table %s%s drop constraint %I',
        _only, londiste.quote_fqname(i_from_table), i_fkey_name);
    return 1;
end;
$$ language plpgsql strict;
