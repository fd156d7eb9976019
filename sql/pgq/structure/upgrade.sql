-- Roles and guarded changes of older tables, then what is generated from the queues.
do $upgrade$
begin
    perform pgq.upgrade_schema();
    perform pgq._refresh_static_inserts();
end;
$upgrade$;
