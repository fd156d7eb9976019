do $upgrade$
begin
    perform pgq_node.upgrade_schema();
end;
$upgrade$;
