-- Looks for a trigger of the user that fires before ours: if it changes other replicated tables, those changes are
-- captured before the one that caused them.
--
-- Returns: 200, or 301
-- Execute: londiste_writer
create or replace function londiste._check_trigger_order(
    in i_dest_table text,
    in i_trigger_name text,
    in i_description text,
    out ret_code int4,
    out ret_note text)
returns record as $$
declare
    _first text;
begin
    -- AFTER row triggers: bit 1 of tgtype set, bits 2 (BEFORE) and 64 (INSTEAD OF) not; they fire in order of name
    select t.tgname into _first
        from pg_catalog.pg_trigger t
        where t.tgrelid = londiste.find_table_oid(i_dest_table)
          and not t.tgisinternal and t.tgtype & 67 = 1 and t.tgenabled <> 'D'
          and t.tgname::text collate "C" < i_trigger_name
          and t.tgname !~ '^_londiste_' and t.tgname !~ '_logger$'
          and not londiste.is_replica_func(t.tgfoid)
        order by t.tgname
        limit 1;
    if found then
        select 301, 'Table added: ' || i_description || ', but londiste trigger is not first: ' || _first
            into ret_code, ret_note;
    else
        select 200, 'Table added: ' || i_description into ret_code, ret_note;
    end if;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
