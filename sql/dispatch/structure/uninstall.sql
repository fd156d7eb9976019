drop function if exists public.create_partition(text, text, text, text, timestamptz, text);
