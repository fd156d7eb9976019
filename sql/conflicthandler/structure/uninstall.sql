drop function if exists public.merge_on_time(text, text, text, text, text, text, text, text, text, text, text, text);
drop function if exists public._merge_on_time_columns(text);
drop function if exists public._merge_on_time_decode(text);
drop function if exists public._merge_on_time_quote(text);
drop function if exists public._merge_on_time_where(text[], jsonb);
