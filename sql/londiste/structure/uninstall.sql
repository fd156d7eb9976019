-- Replication triggers go with the registrations, which the schema would leave behind.
do $$
begin
    if to_regclass('londiste.table_info') is not null then
        delete from londiste.table_info;
    end if;
end;
$$;
drop schema if exists londiste cascade;
