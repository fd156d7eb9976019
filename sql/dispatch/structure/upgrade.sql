-- A former variant would make calls with a literal time ambiguous.
drop function if exists public.create_partition(text, text, text, text, timestamp, text);
