-- The set form of a generated capture function: statement triggers with transition tables log a whole statement with
-- one INSERT ... SELECT.
--
-- Events of one statement need no order among each other, except that a key has to be free before it is taken. The
-- server fires the statement triggers of one command when each of its parts is complete: delete, update, insert for
-- MERGE and ON CONFLICT, any order for data-modifying CTEs. The section therefore notes, in a transaction-local
-- setting, which DELETEs and UPDATEs of the table have begun and are not logged yet; what is logged meanwhile is
-- given new ids after them (pgq._capture_close).
--
-- Where other triggers, foreign key actions or inheritance could change rows between a statement and its trigger, the row
-- trigger logs: its WHEN asks <function>_by_row() when the statement meets its first row. That answer holds for the
-- statement, whatever other sessions do meanwhile; the row trigger leaves a note for the statement trigger.

-- PL/pgSQL text at the start of the function. The function declares _table integer, _event record, _open, _noted and
-- _note text, _mark bigint.
--
-- Parameters: i_name (of the function), i_table, i_format, i_args (queue, trigger arguments), i_is_stale (see
--   pgq._capture_is_stale)
-- Execute: none
create or replace function pgq._capture_set_section(
    i_name text, i_table oid, i_format text, i_args text[], i_is_stale text)
returns text as $$
declare
    _body text := pgq._capture_set_body(i_table, i_format, i_args);
begin
    return format($body$_noted := pg_catalog.current_setting(%1$L, true);
if tg_level operator(pg_catalog.=) 'ROW' then
_note := pg_catalog.concat(pg_catalog.left(tg_op, 1), pg_catalog.pg_trigger_depth(), ';');
if coalesce(pg_catalog.strpos(_noted, _note), 0) operator(pg_catalog.=) 0 then
perform pg_catalog.set_config(%1$L, pg_catalog.concat(_noted, _note), true);
end if;
else
_open := pg_catalog.current_setting(%2$L, true);
if tg_when operator(pg_catalog.=) 'BEFORE' then
perform pg_catalog.set_config(%2$L, pg_catalog.ltrim(pg_catalog.concat(_open, ' ', pg_catalog.left(tg_op, 1))), true);
return null;
elsif tg_op operator(pg_catalog.<>) 'INSERT' and _open operator(pg_catalog.=) pg_catalog.left(tg_op, 1) then
perform pg_catalog.set_config(%2$L, '', true);
elsif _open operator(pg_catalog.<>) '' then
_mark := pg_catalog.nextval(%3$L::pg_catalog.regclass);
end if;
if _noted operator(pg_catalog.<>) '' then
_note := pg_catalog.concat(pg_catalog.left(tg_op, 1), pg_catalog.pg_trigger_depth(), ';');
end if;
if pg_catalog.strpos(_noted, _note) operator(pg_catalog.>) 0 then
perform pg_catalog.set_config(%1$L, pg_catalog.replace(_noted, _note, ''), true);
elsif not pgq._capture_is_enabled(%10$L::pg_catalog.regclass, %5$L) then
null;
elsif %4$s then
perform pgq._capture_renew(%5$L);
for _event in execute pgq._capture_pairs(tg_relid, tg_op) loop
perform pgq._capture_row(%6$L, tg_relid, %7$L, tg_when, _event.operation, _event.n, _event.o, false);
end loop;
else
%8$send if;
if _mark is not null then
perform pg_catalog.set_config(%2$L, pgq._capture_close(%9$L, _open, tg_op, _mark), true);
end if;
return null;
end if;
$body$,
        'pgq.noted_' || i_name, 'pgq.open_' || i_name,
        (select q.queue_event_seq from pgq.queue q where q.queue_name = i_args[1]),
        case when _body is null then 'true' else i_is_stale end,
        i_name, i_format, i_args, coalesce(_body, ''), i_args[1], i_table);
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- PL/pgSQL text that logs the transition tables; NULL when the table, as it is now, cannot be logged so.
-- Execute: none
create or replace function pgq._capture_set_body(i_table oid, i_format text, i_args text[])
returns text as $$
declare
    _plans jsonb;
    _insert text;
    _update text;
    _delete text;
    _joined text;
    _numbered text;
    _key text;
begin
    if not pgq._capture_fits_set(i_table, i_format, i_args) then
        return null;
    end if;
    _plans := pgq._capture_plans(i_table, i_format, i_args, 'AFTER', 'n.', 'o.');
    if _plans #>> '{UPDATE,o_error}' is not null then
        return null;
    end if;
    _insert := _plans #>> '{INSERT,o_event}';
    _update := _plans #>> '{UPDATE,o_event}';
    _delete := _plans #>> '{DELETE,o_event}';
    select k.o_joined, k.o_key into _joined, _key from pgq._capture_key_join(i_table) k;
    -- in the order in which rows were changed: other unique columns may be handed on
    _numbered := replace(_joined, 'new_rows n',
                         '(select *, pg_catalog.row_number() over () as _pgq_position from new_rows) n');
    return pgq._capture_current_table(i_args[1])
        || E'if tg_op operator(pg_catalog.=) ''INSERT'' then\n'
        || pgq._capture_insert_all(i_args[1], format('select %s from new_rows n', _insert))
        || E'elsif tg_op operator(pg_catalog.=) ''DELETE'' then\n'
        || pgq._capture_insert_all(i_args[1], format('select %s from old_rows o', _delete))
        || E'else\n'
        -- a full join is never a nested loop, whatever size the plan was made for
        || format(E'perform 1 from %s where o.%s is null or n.%s is null limit 1;\nif found then\n', _joined, _key, _key)
        || pgq._capture_insert_each(i_args[1], format(
               'select * from (select 1 as step, 0 as position, %s from %s where n.%s is null '
               'union all select 2, n._pgq_position, %s from %s where o.%s is not null and n.%s is not null '
               'union all select 3, n._pgq_position, %s from %s where o.%s is null) q order by q.step, q.position',
               _delete, _joined, _key, _update, _numbered, _key, _key,
               _insert, _numbered, _key))
        || E'else\n'
        || pgq._capture_insert_all(i_args[1], format('select %s from new_rows n', _update))
        || E'end if;\nend if;\n';
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- Can the set form log this table with these arguments at all? Arguments that filter or rewrite rows need the row form,
-- and partial SQL, which compares old and new row.
-- Execute: public
create or replace function pgq._capture_fits_set(i_table oid, i_format text, i_args text[])
returns boolean as $$
begin
    return (
        select i_format <> 'sql' and not a.o_skip and not a.o_backup and not a.o_deny and a.o_ignore = '{}' and a.o_pkey is null
               and a.o_expressions = '{}' and c.relkind = 'r' and not c.relispartition
          from pgq._capture_arguments(i_args[2:]) a, pg_class c
         where c.oid = i_table);
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- The transition tables of an UPDATE, paired by primary key: o or n is missing (its o_key NULL) where a key changed.
-- Execute: none
create or replace function pgq._capture_key_join(in i_table oid, out o_joined text, out o_key text)
returns record as $$
begin
    select 'old_rows o full join new_rows n on '
               || string_agg(format('o.%1$I%3$s %2$s n.%1$I%3$s', c.o_name,
                                    coalesce(e.o_operator, 'operator(pg_catalog.=)'), e.o_cast), ' and ' order by c.o_key_position),
           quote_ident(min(c.o_name) filter (where c.o_key_position = 1))
      into o_joined, o_key
      from pgq._capture_columns(i_table, '{}', null) c
     cross join pgq._capture_equality(pgq._capture_base_type(c.o_type)) e
     where c.o_key_position is not null;
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;

-- Query over the transition tables for code that does not fit the table (any more): operation, and n and o as rows of
-- the table, in an order that frees keys before they are taken.
-- Execute: none
create or replace function pgq._capture_pairs(i_table oid, i_operation text)
returns text as $$
declare
    _joined text;
    _key text;
    _row text := i_table::regclass::text;
begin
    if i_operation = 'INSERT' then
        return format('select %L::pg_catalog.text as operation, (n.*)::%s as n, (n.*)::%s as o from new_rows n',
                      i_operation, _row, _row);
    elsif i_operation = 'DELETE' then
        return format('select %L::pg_catalog.text as operation, (o.*)::%s as n, (o.*)::%s as o from old_rows o',
                      i_operation, _row, _row);
    end if;
    select k.o_joined, k.o_key into _joined, _key from pgq._capture_key_join(i_table) k;
    if _key is null then
        return format('select %L::pg_catalog.text as operation, (n.*)::%s as n, (n.*)::%s as o from new_rows n',
                      i_operation, _row, _row);
    end if;
    return format(
        'select case when n.%1$s is null then ''DELETE'' when o.%1$s is null then ''INSERT'' else ''UPDATE'' '
        'end::pg_catalog.text as operation, '
        'case when n.%1$s is null then (o.*)::%2$s else (n.*)::%2$s end as n, '
        'case when o.%1$s is null then (n.*)::%2$s else (o.*)::%2$s end as o '
        'from %3$s order by case when n.%1$s is null then 1 when o.%1$s is null then 3 else 2 end',
        _key, _row, _joined);
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp;
