-- Declares a cursor over a batch's events and returns the first i_quick_limit of them (0 or less: none).
-- i_extra_where is a condition over the event columns, in SQL, evaluated with the caller's rights and search path:
-- so this function has neither SECURITY DEFINER nor a search_path of its own.
-- Nothing happens when batch, name or limit is NULL. The cursor lives until the end of the transaction.
-- Errors: batch not found; the server's own for a wrong condition.
-- Execute: pgq_reader
create or replace function pgq.get_batch_cursor(i_batch_id bigint, i_cursor_name text, i_quick_limit integer,
    i_extra_where text,
    out ev_id bigint, out ev_time timestamptz, out ev_txid bigint, out ev_retry integer, out ev_type text,
    out ev_data text, out ev_extra1 text, out ev_extra2 text, out ev_extra3 text, out ev_extra4 text)
returns setof record
language plpgsql as $$
declare
    _sql text;
begin
    if i_batch_id is null or i_cursor_name is null or i_quick_limit is null then
        return;
    end if;
    _sql := pgq.batch_event_sql(i_batch_id);
    if i_extra_where is not null then
        _sql := pg_catalog.concat(
            'select ev_id, ev_time, ev_txid, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4',
            ' from (', _sql, ') e where ', i_extra_where, ' order by 1');
    end if;
    execute pg_catalog.format('declare %I no scroll cursor for ', i_cursor_name) || _sql;
    if i_quick_limit > 0 then
        return query execute pg_catalog.format('fetch %s from %I', i_quick_limit, i_cursor_name);
    end if;
end;
$$;

-- The same without a condition. STRICT: NULL arguments give no rows.
create or replace function pgq.get_batch_cursor(i_batch_id bigint, i_cursor_name text, i_quick_limit integer,
    out ev_id bigint, out ev_time timestamptz, out ev_txid bigint, out ev_retry integer, out ev_type text,
    out ev_data text, out ev_extra1 text, out ev_extra2 text, out ev_extra3 text, out ev_extra4 text)
returns setof record
language plpgsql strict as $$
begin
    return query select * from pgq.get_batch_cursor(i_batch_id, i_cursor_name, i_quick_limit, null);
end;
$$;
