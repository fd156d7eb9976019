-- Digest of everything about a table that generated capture code bakes in: name, columns, their types, primary key.
--
-- Declared immutable although it reads the catalogs, on purpose. Called with a constant regclass inside a PL/pgSQL
-- expression, it is folded into the cached plan and costs nothing a row. The server records the constant as a
-- dependency of that plan and throws the plan away when anything about the table changes, in this session or another:
-- a change needs a lock on the table, and whoever writes to the table has processed the invalidation by then. So
--
--     if pgq._capture_shape('16402'::regclass) = '...' then
--
-- is an exact and free test for "not altered since this code was generated".
--
-- Parameters: i_table (a missing table has a digest too)
-- Errors: 40001 when the table was altered after the snapshot of a repeatable read or serializable transaction:
--   catalog queries then show a table that no longer exists
-- Execute: public
create or replace function pgq._capture_shape(i_table oid)
returns text as $$
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        perform pgq._capture_assert_snapshot(i_table);
    end if;
    return left(encode(sha256(convert_to(concat_ws('|',
        (select concat_ws('.', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where c.oid = i_table),
        (select string_agg(concat_ws(':', a.attnum, a.attname, a.atttypid, t.typtype, t.typbasetype, a.attgenerated), ','
                           order by a.attnum)
           from pg_attribute a join pg_type t on t.oid = a.atttypid
          where a.attrelid = i_table and a.attnum > 0 and not a.attisdropped),
        (select concat_ws(':', i.indnkeyatts, i.indkey) from pg_index i where i.indrelid = i_table and i.indisprimary)),
        getdatabaseencoding())), 'hex'), 32);
end;
$$ language plpgsql immutable strict set search_path = pg_catalog, pg_temp;

-- Compares what catalog queries show, under the transaction's snapshot, with what the server uses now.
-- Execute: public
create or replace function pgq._capture_assert_snapshot(i_table oid)
returns void as $$
declare
    _seen oid[];
    _current oid[];
    _expressions text;
    _last smallint;
begin
    select array_agg(a.atttypid order by a.attnum),
           string_agg(format('pg_typeof(r.%I)::oid', a.attname), ', ' order by a.attnum)
      into _seen, _expressions
      from pg_attribute a
     where a.attrelid = i_table and a.attnum > 0 and not a.attisdropped;
    select max(attnum) into _last from pg_attribute where attrelid = i_table;
    begin
        execute format('select array[%s]::oid[] from (select (null::%s).*) r', _expressions, i_table::regclass)
           into _current;
    exception when undefined_column or undefined_object or undefined_table or syntax_error then
        _current := null;
    end;
    if coalesce(_current, '{}') is distinct from coalesce(_seen, '{}')
       or has_column_privilege(i_table, (_last + 1)::smallint, 'select') is not null then
        raise exception 'could not serialize access: table % was altered after the snapshot of this transaction',
                        i_table::regclass
              using errcode = 'serialization_failure', hint = 'Run the transaction again.';
    end if;
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;
