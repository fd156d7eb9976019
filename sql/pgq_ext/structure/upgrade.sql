do $upgrade$
begin
    perform pgq_ext.upgrade_schema();
end;
$upgrade$;
