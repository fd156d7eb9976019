\i structure/upgrade.sql
\i function/
