-- SQL text of expressions over one column value, for generated capture code. i_type is the column's declared type;
-- the other arguments are SQL text that yields the value: new.col, ($1).col.
--
-- A value's text is the result of its type's output function. A cast to text is something else for char(n), inet
-- and boolean. Generated code may run as the owner of the queue, therefore no operator, function or cast in it
-- depends on the search path.

-- Text of a value, NULL for NULL.
-- Execute: none
create or replace function pgq._capture_value_text(i_type oid, i_value text)
returns text as $$
declare
    _type record;
begin
    if i_type in ('text'::regtype, 'varchar'::regtype) then
        return i_value || '::pg_catalog.text';
    elsif pgq._capture_is_common(i_type) then
        return format('pg_catalog.textin(pg_catalog.%I(%s))',
                      (select p.proname from pg_catalog.pg_type t join pg_catalog.pg_proc p on p.oid = t.typoutput
                        where t.oid = i_type), i_value);
    end if;
    select t.typtype, p.proname as output, n.nspname as output_schema,
           b.typtype as base_typtype, a.oid = b.oid or a.typtype = 'p' as is_callable
      into strict _type
      from pg_catalog.pg_type t
      join pg_catalog.pg_proc p on p.oid = t.typoutput
      join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      join pg_catalog.pg_type b on b.oid = pgq._capture_base_type(t.oid)
      join pg_catalog.pg_type a on a.oid = p.proargtypes[0]
     where t.oid = i_type;
    -- the output function of refcursor takes text, and nothing casts to it
    if _type.output_schema = 'pg_catalog' and _type.is_callable and (_type.typtype <> 'd' or _type.base_typtype = 'b') then
        return format('pg_catalog.textin(pg_catalog.%I(%s))', _type.output, i_value);
    end if;
    return format('case when pg_catalog.num_nulls(%1$s) operator(pg_catalog.=) 0 '
                  'then pg_catalog.format(''%%s'', %1$s) end', i_value);
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- JSON text of a value, as pgq.jsontriga writes it.
-- Execute: none
create or replace function pgq._capture_value_json(i_type oid, i_value text)
returns text as $$
begin
    if i_type in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) then
        return format('coalesce(%s, ''null'')', pgq._capture_value_text(i_type, i_value));
    elsif i_type in ('bool'::regtype, 'date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype,
                     'text'::regtype, 'varchar'::regtype) then
        return format('coalesce(pg_catalog.to_json(%s)::pg_catalog.text, ''null'')', i_value);
    end if;
    return format('coalesce(pg_catalog.to_json(%s)::pg_catalog.text, ''null'')',
                  pgq._capture_value_text(i_type, i_value));
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- Url-encoded `=value`, an empty string for NULL.
-- Execute: none
create or replace function pgq._capture_value_url(i_type oid, i_value text)
returns text as $$
declare
    _text text := pgq._capture_value_text(i_type, i_value);
    _encoded text;
begin
    if i_type in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'oid'::regtype, 'bool'::regtype,
                  'numeric'::regtype, 'uuid'::regtype) then
        null;
    elsif i_type in ('float4'::regtype, 'float8'::regtype) then
        _text := format('pg_catalog.replace(%s, ''+'', ''%%2b'')', _text);
    elsif i_type in ('date'::regtype, 'time'::regtype, 'timetz'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype) then
        -- nothing else is in them under any DateStyle, but in the name of a user-defined time zone
        _encoded := format('pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(%s, '
                           '''+'', ''%%2b''), '' '', ''+''), '':'', ''%%3a''), ''/'', ''%%2f'')', _text);
        if i_type = 'timestamptz'::regtype then
            _encoded := format('case when %1$s operator(pg_catalog.~) ''[^A-Za-z0-9 :+./-]'' collate pg_catalog."C" '
                               'then pgq._urlencode(%1$s) else %2$s end', _text, _encoded);
        end if;
        _text := _encoded;
    elsif i_type in ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype) then
        _text := format('case when %1$s operator(pg_catalog.~) ''[^A-Za-z0-9_. -]'' collate pg_catalog."C" '
                        'then pgq._urlencode(%1$s) else pg_catalog.replace(%1$s, '' '', ''+'') end', _text);
    else
        _text := format('pgq._urlencode(%s)', _text);
    end if;
    return format('coalesce(''='' operator(pg_catalog.||) %s, '''')', _text);
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- Boolean: do two values of a column differ? By the type's own equality; arrays and types without one by text.
-- Execute: none
create or replace function pgq._capture_value_differs(i_type oid, i_old text, i_new text)
returns text as $$
declare
    _base oid := pgq._capture_base_type(i_type);
    _operator text;
    _cast text;
    _both_null text := format('%s is null and %s is null', i_old, i_new);
begin
    select e.o_operator, e.o_cast into _operator, _cast from pgq._capture_equality(_base) e;
    if (select typtype from pg_type where oid = _base) = 'c' then
        _both_null := format('pg_catalog.num_nulls(%s, %s) operator(pg_catalog.=) 2', i_old, i_new);
    end if;
    if _operator is null then
        _operator := 'operator(pg_catalog.=)';
        _cast := '';
        i_old := pgq._capture_value_text(i_type, i_old);
        i_new := pgq._capture_value_text(i_type, i_new);
    end if;
    return format('not coalesce(%1$s%4$s %2$s %3$s%4$s, %5$s)', i_old, _operator, i_new, _cast, _both_null);
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- The type under a domain, any depth.
-- Execute: none
create or replace function pgq._capture_base_type(i_type oid)
returns oid as $$
declare
    _parent oid;
begin
    loop
        select t.typbasetype into strict _parent from pg_type t where t.oid = i_type;
        exit when _parent = 0;
        i_type := _parent;
    end loop;
    return i_type;
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- Qualified equality operator of a type's default btree or else hash operator class; NULL for arrays and types without.
-- o_cast, behind both operands, makes it that very operator: in a schema where others may create objects there may be one of the
-- same name for a domain over the type, or for one that is binary compatible with it.
-- Execute: none
create or replace function pgq._capture_equality(in i_base_type oid, out o_operator text, out o_cast text)
returns record as $$
begin
    o_operator := 'operator(pg_catalog.=)';
    o_cast := '';
    if not pgq._capture_is_common(i_base_type) then
        select format('operator(%I.%s)', n.nspname, o.oprname),
               case n.nspname when 'pg_catalog' then '' else '::' || format_type(c.opcintype, null) end
          into o_operator, o_cast
          from pg_type t
          join (values ('e', 'anyenum'::regtype), ('r', 'anyrange'::regtype), ('m', 'anymultirange'::regtype),
                       ('c', 'record'::regtype), ('b', null)) k(typtype, polymorphic) on k.typtype = t.typtype::text
          join pg_opclass c on c.opcdefault
           and (c.opcintype in (t.oid, k.polymorphic)
                or exists (select 1 from pg_cast b
                            where b.castsource = t.oid and b.casttarget = c.opcintype
                              and b.castmethod = 'b' and b.castcontext = 'i'))
          join pg_am m on m.oid = c.opcmethod and m.amname in ('btree', 'hash')
          join pg_amop a on a.amopfamily = c.opcfamily and a.amoplefttype = c.opcintype and a.amoprighttype = c.opcintype
           and a.amopstrategy = case m.amname when 'btree' then 3 else 1 end
          join pg_operator o on o.oid = a.amopopr
          join pg_namespace n on n.oid = o.oprnamespace
         where t.oid = i_base_type
           and not (t.typelem <> 0 and t.typlen = -1 and t.typsubscript = 'array_subscript_handler'::regproc)
         order by (c.opcintype = t.oid) desc, m.amname
         limit 1;
    end if;
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- Is this one of the types that most columns have? Of these the answers of the general queries are known.
-- Execute: none
create or replace function pgq._capture_is_common(i_type oid)
returns boolean as $$
begin
    return i_type = any (
        '{bool,int2,int4,int8,float4,float8,numeric,text,varchar,bpchar,bytea,uuid,date,time,timestamp,timestamptz,interval}'::regtype[]::oid[]);
end;
$$ language plpgsql immutable set search_path = pg_catalog, pg_temp;
