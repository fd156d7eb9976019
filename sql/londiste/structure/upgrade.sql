do $upgrade$
begin
    perform londiste.upgrade_schema();
end;
$upgrade$;

-- Of early releases; restore_table_fkey has one form with another list of arguments today.
drop function if exists londiste.restore_table_fkey(text, text);
