-- Order of installation.
\i structure/older-release-locks.sql
\i structure/tables.sql
\i structure/older-releases.sql
\i function/pgq.quote_fqname.sql
\i function/
\i capture/
\i trigger/
\i structure/upgrade.sql
\i structure/grants.sql
