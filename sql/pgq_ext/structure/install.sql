\i structure/tables.sql
\i function/
\i structure/upgrade.sql
