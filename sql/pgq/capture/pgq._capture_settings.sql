-- SET clauses of a generated capture function: under them a value's text is the same whatever the session that changes the
-- row has set, and reads back as the same value; a bytea is in hex, as a copy has it, for whoever hashes it. Empty for a table with none of the types that look at a setting, since
-- entering a function with settings costs time.
--
-- Parameters: i_table, i_format (json writes dates and timestamps itself, in ISO form)
-- Execute: none
create or replace function pgq._capture_settings(i_table oid, i_format text)
returns text as $$
declare
    _exact oid[] := '{int2,int4,int8,bool,text,varchar,bpchar,name,numeric,uuid,json,jsonb,bytea,oid}'::regtype[];
    _types oid[] := array(
        select coalesce(nullif(t.typelem, 0), t.oid)
          from pgq._capture_columns(i_table, '{}', null) c
          join pg_type t on t.oid = c.o_type
         where t.typtype <> 'e'
           and not (i_format = 'json' and c.o_type in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)));
    -- what is in them is not looked at
    _has_nested boolean := exists (select 1 from pg_type t where t.oid = any (_types) and t.typtype in ('c', 'd'));
begin
    return concat_ws(' ',
        case when not _types <@ _exact
             then 'set datestyle = ''ISO'' set intervalstyle = ''postgres'' set extra_float_digits = 1' end,
        case when _has_nested or 'bytea'::regtype = any (_types) then 'set bytea_output = ''hex''' end,
        case when _has_nested or 'money'::regtype = any (_types) then 'set lc_monetary = ''C''' end);
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;
