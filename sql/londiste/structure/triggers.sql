-- Before, because the trigger function looks its own row up. Nothing is locked where it is there already.
do $triggers$
begin
    if exists (select from pg_catalog.pg_trigger t
                where t.tgrelid = 'londiste.table_info'::regclass and t.tgname = 'table_info_trigger_sync'
                  and t.tgfoid = 'londiste.table_info_trigger()'::regprocedure
                  -- for each row, before, delete
                  and t.tgtype = 1 | 2 | 8)
    then
        return;
    end if;
    create or replace trigger table_info_trigger_sync
        before delete on londiste.table_info
        for each row execute function londiste.table_info_trigger();
end;
$triggers$;
