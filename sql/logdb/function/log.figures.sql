-- The figures of a statistics line {key: value, key: value}, numbers as numbers; null when the text is none.
-- Execute: log_writer
create or replace function log.figures(i_message text)
returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case
        when i_message ~ '^\{[^{}:,]+: [^,]*(, [^{}:,]+: [^,]*)*\}$' then (
            select jsonb_object_agg(
                       split_part(item, ': ', 1),
                       case when f.value ~ '^-?\d+(\.\d+)?$' then to_jsonb(f.value::numeric)
                            else to_jsonb(f.value) end)
              from regexp_split_to_table(substr(i_message, 2, length(i_message) - 2), ', ') item
             cross join lateral (select substr(item, strpos(item, ': ') + 2) as value) f)
        end;
$$;
