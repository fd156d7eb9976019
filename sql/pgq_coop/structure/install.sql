\i structure/schema.sql
\i function/
