-- Roles and guarded changes of older tables, then what is generated from queues and tables.
do $upgrade$
begin
    perform pgq.upgrade_schema();
    perform pgq._refresh_static_inserts();
    perform pgq.refresh_captures();
end;
$upgrade$;
