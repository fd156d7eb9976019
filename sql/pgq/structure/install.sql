-- Order of installation.
\i structure/tables.sql
\i structure/older-releases.sql
\i function/pgq.quote_fqname.sql
\i function/
\i capture/
\i trigger/
\i structure/upgrade.sql
\i structure/grants.sql
