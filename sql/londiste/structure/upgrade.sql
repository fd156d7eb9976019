do $upgrade$
begin
    perform londiste.upgrade_schema();
end;
$upgrade$;
