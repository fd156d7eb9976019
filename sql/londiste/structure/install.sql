\i structure/tables.sql
\i function/londiste.upgrade_schema.sql
\i structure/upgrade.sql
\i function/londiste.make_fqname.sql
\i function/londiste.quote_fqname.sql
\i function/
\i structure/triggers.sql
\i structure/grants.sql
