-- Applies one event to a table that several nodes write to: of two versions of a row the newer one wins; of two that are
-- equally old the present one stays. A delete comes with the time of the row that was deleted, so it takes away that very
-- version. Called by londiste's applyfn and multimaster handlers.
--
-- Parameters:
--   fn_conf   - urlencoded: timefield=column (required), altpk=columns of another key,
--               fkey_ref_table=table, fkey_ref_cols=columns, fkey_cols=columns of the event
--   ev_type   - I:keys, U:keys or D:keys
--   ev_data   - urlencoded row
--   ev_extra1 - table, raw name
--   The other parameters are not used.
-- Returns: what happened. IGN: in front means that the event was ignored.
-- Raises: Unsupported ev_type, No pkey in event, suspicious name, invalid timestamp, and the server's errors
-- Locks: the current row
-- Execute: public
create or replace function public.merge_on_time(
    fn_conf text,
    cur_tick text,
    ev_id text,
    ev_time text,
    ev_txid text,
    ev_retry text,
    ev_type text,
    ev_data text,
    ev_extra1 text,
    ev_extra2 text,
    ev_extra3 text,
    ev_extra4 text)
returns text as $$
declare
    _conf jsonb := public._merge_on_time_columns(fn_conf);
    _row jsonb := public._merge_on_time_columns(ev_data);
    _keys text[] := string_to_array(substr(ev_type, 3), ',');
    _alternative_keys text[] := string_to_array(_conf ->> 'altpk', ',');
    _operation text := left(ev_type, 1);
    _time_field text := _conf ->> 'timefield';
    _table text := public._merge_on_time_quote(ev_extra1);
    _time_type text;
    _present jsonb;
    _is_newer boolean;
    _columns text[];
    _count int4;
    _log text;
begin
    if ev_type !~ '^[IUD]:' or ev_type is null then
        raise exception 'Unsupported ev_type: %', ev_type;
    elsif ev_type ~ '^.:$' then
        raise exception 'No pkey in event';
    elsif ev_type like '%}%' or exists (select 1 from jsonb_object_keys(_row) k where k like '%}%') then
        raise exception 'suspicious name in event of table %', ev_extra1;
    elsif _time_field is null then
        raise exception 'timefield is not configured for table %', ev_extra1;
    end if;
    select format_type(a.atttypid, a.atttypmod) into _time_type
        from pg_catalog.pg_attribute a
        where a.attrelid = _table::regclass and a.attname = _time_field and a.attnum > 0 and not a.attisdropped;
    if not found then
        raise exception 'table % has no column %', ev_extra1, _time_field;
    end if;

    -- a row that somebody else inserts meanwhile makes the insert fail: then it is the present one
    loop
        _log := 'data ok';
        if _conf ->> 'fkey_ref_table' is not null then
            execute format('select count(*) from only %s where %s', public._merge_on_time_quote(_conf ->> 'fkey_ref_table'),
                    public._merge_on_time_where(string_to_array(_conf ->> 'fkey_ref_cols', ','), (
                        select jsonb_object_agg(r.column_name, _row -> e.column_name)
                        from unnest(string_to_array(_conf ->> 'fkey_ref_cols', ','),
                            string_to_array(_conf ->> 'fkey_cols', ',')) u(ref_column, event_column)
                        cross join lateral (select btrim(u.ref_column)) r(column_name)
                        cross join lateral (select btrim(u.event_column)) e(column_name))))
                into _count;
            if _count = 0 then
                return 'IGN: parent row does not exist';
            end if;
            _log := _log || ', fkey ok';
        end if;

        _present := null;
        if _alternative_keys is not null then
            execute format('select to_jsonb(t) from only %s t where %s for update', _table,
                public._merge_on_time_where(_alternative_keys, _row)) into _present;
            if _present is not null then
                execute format('select count(*) from only %s where %s and %s', _table,
                        public._merge_on_time_where(_alternative_keys, _row),
                        public._merge_on_time_where(_keys, _row))
                    into _count;
                if _count = 0 then
                    execute format('delete from only %s where %s', _table,
                        public._merge_on_time_where(_alternative_keys, _row));
                    _log := _log || ', altpk del';
                else
                    _log := _log || ', altpk ok';
                end if;
            end if;
        end if;

        execute format('select to_jsonb(t), case when t.%1$I is null then true else t.%1$I %6$s %2$L::%3$s end'
                ' from only %4$s t where %5$s for update of t',
                _time_field, _row ->> _time_field, _time_type, _table, public._merge_on_time_where(_keys, _row),
                case when _operation = 'D' then '<=' else '<' end)
            into _present, _is_newer;
        if _row ->> _time_field !~ '^[0-9]' or _present ->> _time_field !~ '^[0-9]' then
            raise exception 'invalid timestamp';
        end if;
        if _present is null then
            _log := _log || ', no old row';
        elsif _is_newer then
            _log := _log || ', old row, new row better';
        else
            return 'IGN:' || _log || ', old row, current row more up-to-date';
        end if;

        if _operation = 'D' then
            execute format('delete from only %s where %s', _table, public._merge_on_time_where(_keys, _row));
            return _log;
        end if;
        select array_agg(a.attname order by a.attnum) into _columns
            from pg_catalog.pg_attribute a
            where a.attrelid = _table::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
              and _row ? a.attname
              and (_present is null or a.attname <> all (select btrim(k) from unnest(_keys) k));
        if _columns is null then
            return _log;
        end if;
        begin
            if _present is null then
                execute format('insert into %s (%s) overriding system value values (%s)', _table,
                    (select string_agg(quote_ident(c.name), ', ' order by c.nr)
                     from unnest(_columns) with ordinality c(name, nr)),
                    (select string_agg(quote_nullable(_row ->> c.name), ', ' order by c.nr)
                     from unnest(_columns) with ordinality c(name, nr)));
            else
                execute format('update only %s set %s where %s', _table,
                    (select string_agg(format('%I = %L', c.name, _row ->> c.name), ', ' order by c.nr)
                     from unnest(_columns) with ordinality c(name, nr)),
                    public._merge_on_time_where(_keys, _row));
            end if;
            return _log;
        exception
            when unique_violation then
                execute format('select count(*) from only %s where %s', _table,
                    public._merge_on_time_where(_keys, _row)) into _count;
                if _present is not null or _count = 0 then
                    raise;
                end if;
        end;
    end loop;
end;
$$ language plpgsql;

create or replace function public._merge_on_time_decode(i_text text)
returns text as $$
    select convert_from(coalesce(string_agg(
        case when t.token[1] ~ '^%..$' then decode(substr(t.token[1], 2), 'hex')
            else convert_to(t.token[1], getdatabaseencoding()) end, '' order by t.nr), ''), getdatabaseencoding())
    from regexp_matches(replace(i_text, '+', ' '), '%[0-9A-Fa-f]{2}|[^%]+|%', 'g') with ordinality t(token, nr);
$$ language sql immutable;

-- Decodes an urlencoded row; a column without = is null.
create or replace function public._merge_on_time_columns(i_urlencoded text)
returns jsonb as $$
    select coalesce(jsonb_object_agg(
        public._merge_on_time_decode(split_part(p.pair, '=', 1)),
        case when position('=' in p.pair) > 0
            then public._merge_on_time_decode(substr(p.pair, position('=' in p.pair) + 1)) end), '{}')
    from string_to_table(i_urlencoded, '&') p(pair)
    where p.pair <> '';
$$ language sql immutable;

create or replace function public._merge_on_time_quote(i_table text)
returns text as $$
    select case when position('.' in i_table) > 0 then format('%I.%I',
            split_part(i_table, '.', 1), substr(i_table, position('.' in i_table) + 1))
        else format('public.%I', i_table) end;
$$ language sql immutable;

-- A condition that some columns have the values of a row.
create or replace function public._merge_on_time_where(i_columns text[], i_row jsonb)
returns text as $$
    select string_agg(
        case when i_row ->> btrim(c) is null then format('%I is null', btrim(c))
            else format('%I = %L', btrim(c), i_row ->> btrim(c)) end, ' and ')
    from unnest(i_columns) c;
$$ language sql immutable;
