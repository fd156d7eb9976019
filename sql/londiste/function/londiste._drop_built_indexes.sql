-- Drops the indexes that a copy has built already, each committed by itself, out of statements that have not been run to
-- their end: so that all of these can be run. They are known by name, for conditions look different in each session. An
-- index that belongs to a constraint stays.
--
-- Parameters:
--   i_table_name - raw name of an ordinary table; others are left alone
-- Locks: the table, against builds under way
-- Execute: londiste_writer
create or replace function londiste._drop_built_indexes(i_table_name text, i_dropped_ddl text)
returns void as $$
declare
    _table oid := londiste.find_rel_oid(i_table_name, 'r');
    _names text;
begin
    if _table is null then
        return;
    end if;
    execute format('lock table only %s in access exclusive mode', _table::regclass);

    select string_agg(b.indexrelid::regclass::text, ', ') into _names
        from (
            select i.indexrelid, pg_get_indexdef(i.indexrelid) as definition
            from pg_index i
            where i.indrelid = _table
              and not exists (
                select 1 from pg_constraint c
                where c.conrelid = _table and c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x'))
        ) b
        where position(left(b.definition, position(' USING ' in b.definition) + 6) in i_dropped_ddl) > 0;
    if _names is not null then
        execute 'drop index ' || _names;
    end if;
end;
$$ language plpgsql strict set search_path = pg_catalog, pg_temp;
