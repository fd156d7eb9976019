-- Body of a generated capture function (see pgq.create_capture). Without expression arguments the function is
-- security definer and writes into the queue's current event table itself; with them it runs as the writer and calls
-- pgq.insert_event.
--
-- Parameters: i_name (of the function), i_table, i_format, i_args (queue, trigger arguments), i_has_set (do statement
--   triggers use it too?)
-- Execute: none
create or replace function pgq._capture_row_function(
    i_name text, i_table oid, i_format text, i_args text[], i_has_set boolean)
returns text as $$
declare
    _plans jsonb := pgq._capture_plans(i_table, i_format, i_args, 'AFTER', 'new.', 'old.');
    _delete jsonb := _plans -> 'DELETE';
    _is_stale text := pgq._capture_is_stale(i_table);
    _update_key text;
    _constants text[] := '{}';
    _extra text[];
begin
    if _delete ->> 'o_override' is not null then
        _update_key := format(E'perform pgq._capture_row(%L, %L, %L, tg_when, tg_op, new, old, true);\nreturn null;\n',
                              i_format, i_table, i_args);
    elsif _delete ->> 'o_error' is null then
        _update_key := format(E'perform pgq.insert_event(%L, %s, %s, %s, %s, %s, %s);\n', i_args[1],
                              _delete ->> 'o_type', _delete ->> 'o_data', _delete ->> 'o_extra1', _delete ->> 'o_extra2',
                              _delete ->> 'o_extra3', _delete ->> 'o_extra4');
    end if;
    -- what is the same for every row is written into the INSERT: each assignment counts
    if _delete ->> 'o_override' is null then
        select array_agg(e.field) filter (where e.is_constant),
               array_agg(case when e.is_constant then e.value else '_' || e.field end order by e.field)
          into _constants, _extra
          from (select f.field, min(u.value) as value,
                       count(distinct u.value) = 1
                       and bool_and(u.value ~ '^(null|''([^''\\]|'''')*'')::pg_catalog\.text$') as is_constant
                  from jsonb_each(_plans) p(operation, plan)
                 cross join unnest('{extra1,extra2,extra3,extra4}'::text[]) f(field)
                 cross join lateral (select p.plan ->> ('o_' || f.field)) u(value)
                 group by f.field) e;
    end if;
    return format($body$
#variable_conflict use_column
-- %6$s
declare
    _type pg_catalog.text;
    _data pg_catalog.text;
    _extra1 pg_catalog.text;
    _extra2 pg_catalog.text;
    _extra3 pg_catalog.text;
    _extra4 pg_catalog.text;
    _override pg_catalog.record;
    _event pg_catalog.record;
    _relation pg_catalog.oid;
    _table pg_catalog.int4;
    _open pg_catalog.text;
    _noted pg_catalog.text;
    _note pg_catalog.text;
    _mark pg_catalog.int8;
begin
if pg_catalog.current_setting('session_replication_role') operator(pg_catalog.=) 'local' then
return null;
end if;
%5$sif %1$s then
%2$sreturn null;
end if;
%3$s%4$sreturn null;
end;
$body$,
        _is_stale,
        format(E'perform pgq._capture_renew(%1$L);\n'
               '_relation := pgq._capture_relation(tg_relid, %1$L);\n'
               'if tg_op operator(pg_catalog.=) ''INSERT'' then\n'
               'perform pgq._capture_row(%2$L, _relation, %3$L, tg_when, tg_op, new, new, true);\n'
               'elsif tg_op operator(pg_catalog.=) ''UPDATE'' then\n'
               'perform pgq._capture_row(%2$L, _relation, %3$L, tg_when, tg_op, new, old, true);\n'
               'else\n'
               'perform pgq._capture_row(%2$L, _relation, %3$L, tg_when, tg_op, old, old, true);\n'
               'end if;\n', i_name, i_format, i_args),
        pgq._capture_branches(_plans, 'tg_op', 'return null;', _update_key, coalesce(_constants, '{}')),
        case when _delete ->> 'o_override' is null
             then pgq._capture_current_table(i_args[1]) || pgq._capture_insert_one(i_args[1], _extra)
             else format(E'perform pgq.insert_event(%L, _type, _data, _extra1, _extra2, _extra3, _extra4);\n', i_args[1])
        end,
        case when i_has_set then pgq._capture_set_section(i_name, i_table, i_format, i_args, _is_stale) else '' end,
        -- so that other settings are seen as another function
        pgq._capture_settings(i_table, i_format));
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;

-- The table that a capture is for, when its function fires for this table: itself, or what it is a partition of.
-- Execute: public
create or replace function pgq._capture_relation(i_table oid, i_name text)
returns oid as $$
    with recursive up(tgrelid, tgparentid) as (
        select t.tgrelid, t.tgparentid
          from pg_trigger t
         where t.tgrelid = i_table and t.tgfoid = to_regproc(format('pgq.%I', i_name))
         union all
        select t.tgrelid, t.tgparentid from up join pg_trigger t on t.oid = up.tgparentid
    )
    select coalesce((select up.tgrelid from up where up.tgparentid = 0 limit 1), i_table);
$$ language sql stable set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;

-- Boolean expression of a trigger function: is this code not (or no longer) made for the table that fires it?
-- A partition of a partitioned table is good for code made for the latter.
-- Execute: none
create or replace function pgq._capture_is_stale(i_table oid)
returns text as $$
begin
    return (
        select format('pgq._capture_shape(%L::pg_catalog.regclass) operator(pg_catalog.<>) %L',
                      c.oid, pgq._capture_shape(c.oid))
               || case when c.relkind = 'p' then ''
                       else format(' or tg_relid operator(pg_catalog.<>) %L or tg_table_schema operator(pg_catalog.<>) %L',
                                   c.oid, n.nspname) end
          from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.oid = i_table);
end;
$$ language plpgsql stable set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;
