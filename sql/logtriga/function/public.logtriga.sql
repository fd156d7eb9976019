-- Turns changes of a table into partial SQL and hands it to a query, as the logtriga of Skytools 2; needs no queue.
--
-- create trigger NAME after insert or update or delete on TABLE for each row
--     execute function public.logtriga('KINDS', 'QUERY')
--
-- KINDS has a letter for each column: k key, v value, i ignore. Columns beyond it are not looked at.
-- QUERY is executed, with the rights of whoever changes the table, with $1 = I, U or D and $2 =
--     I  (a,b) values ('1',null)
--     U  b='x',c=NULL where a='1'     the columns that changed, a key column with its old value in the where part;
--                                     when no column changed: a='1' where a='1'
--     D  a='1'
-- An update that changes only ignored columns calls nothing.
--
-- Errors: logtriga must be defined with 2 args; logtriga must be fired AFTER; logtriga must be fired FOR EACH ROW;
--   logtriga: need at least one key column; logtriga: key column does not exist;
--   logtriga: Unexpected NULL key value (of an updated or deleted row)
-- Execute: public
create or replace function public.logtriga()
returns trigger as $$
declare
    _column record;
    _old text;
    _new text;
    _is_different boolean;
    _names text[] := '{}';
    _values text[] := '{}';
    _assignments text[] := '{}';
    _where text[] := '{}';
    _is_ignored_changed boolean := false;
    _data text;
begin
    if tg_nargs <> 2 then
        raise exception 'logtriga must be defined with 2 args';
    elsif tg_when <> 'AFTER' then
        raise exception 'logtriga must be fired AFTER';
    elsif tg_level <> 'ROW' then
        raise exception 'logtriga must be fired FOR EACH ROW';
    elsif strpos(tg_argv[0], 'k') = 0 then
        raise exception 'logtriga: need at least one key column';
    end if;
    -- both of one type, whatever the operation
    if tg_op = 'INSERT' then
        old := new;
    elsif tg_op = 'DELETE' then
        new := old;
    end if;

    for _column in
        select quote_ident(x.attname) as name, '"' || replace(x.attname, '"', '""') || '"' as field,
               substr(tg_argv[0], x.n::integer, 1) as kind, count(*) over () as columns,
               -- arrays, and types without equality, are compared by their text
               exists (select 1
                         from pg_opclass c
                         join pg_am m on m.oid = c.opcmethod and m.amname in ('btree', 'hash')
                        where c.opcdefault
                          and (c.opcintype = x.base_type
                               or c.opcintype = case x.base_kind when 'e' then 'anyenum'::regtype
                                                                 when 'r' then 'anyrange'::regtype
                                                                 when 'm' then 'anymultirange'::regtype
                                                                 when 'c' then 'record'::regtype end
                               or exists (select 1 from pg_cast b
                                           where b.castsource = x.base_type and b.casttarget = c.opcintype
                                             and b.castmethod = 'b' and b.castcontext = 'i'))) as has_equality
          from (select a.attname, row_number() over (order by a.attnum) as n, b.oid as base_type, b.typtype as base_kind
                  from pg_attribute a
                  join lateral (with recursive base(oid, parent, typtype) as (
                                    select t.oid, t.typbasetype, t.typtype from pg_type t where t.oid = a.atttypid
                                     union all
                                    select t.oid, t.typbasetype, t.typtype from base join pg_type t on t.oid = base.parent)
                                select base.oid, base.typtype from base where base.parent = 0) b on true
                 where a.attrelid = tg_relid and a.attnum > 0 and not a.attisdropped) x
         order by x.n
    loop
        if length(rtrim(tg_argv[0], 'vi')) > _column.columns then
            raise exception 'logtriga: key column does not exist';
        end if;
        continue when _column.kind not in ('k', 'v', 'i');
        execute format('select case when num_nulls(($1).%1$s) = 0 then format(''%%s'', ($1).%1$s) end, '
                       'case when num_nulls(($2).%1$s) = 0 then format(''%%s'', ($2).%1$s) end, %2$s',
                       _column.field,
                       case when _column.has_equality then format('($1).%1$s is distinct from ($2).%1$s', _column.field)
                            else 'false' end)
           into _old, _new, _is_different using old, new;
        if not _column.has_equality then
            _is_different := _old is distinct from _new;
        end if;
        if _column.kind = 'i' then
            _is_ignored_changed := _is_ignored_changed or _is_different;
            continue;
        end if;
        _names := _names || _column.name;
        _values := _values || coalesce(quote_literal(_new), 'null');
        if _is_different then
            _assignments := _assignments || (_column.name || '=' || coalesce(quote_literal(_new), 'NULL'));
        end if;
        if _column.kind = 'k' then
            if _old is null and tg_op <> 'INSERT' then
                raise exception 'logtriga: Unexpected NULL key value';
            end if;
            _where := _where || (_column.name || '=' || quote_literal(_old));
        end if;
    end loop;

    if tg_op = 'INSERT' then
        _data := '(' || array_to_string(_names, ',') || ') values (' || array_to_string(_values, ',') || ')';
    elsif tg_op = 'DELETE' then
        _data := array_to_string(_where, ' and ');
    elsif _assignments = '{}' and _is_ignored_changed then
        return null;
    else
        _data := coalesce(nullif(array_to_string(_assignments, ','), ''), _where[1])
                 || ' where ' || array_to_string(_where, ' and ');
    end if;
    execute tg_argv[1] using left(tg_op, 1), _data;
    return null;
end;
$$ language plpgsql;
