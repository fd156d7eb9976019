drop function if exists public.logtriga();
