\i ../pgq/structure/older-release-locks.sql
\i structure/tables.sql
\i function/pgq_node.upgrade_schema.sql
\i structure/upgrade.sql
\i function/
\i structure/grants.sql
