do $upgrade$
begin
    perform londiste.upgrade_schema();
end;
$upgrade$;

-- Of early releases: beside the form of today a call with two arguments would be ambiguous.
drop function if exists londiste.restore_table_fkey(text, text);
