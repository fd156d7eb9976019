\i structure/tables.sql
\i function/log.figures.sql
\i function/
\i structure/grants.sql
