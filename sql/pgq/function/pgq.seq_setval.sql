-- Moves a sequence forward so that its next value is at least i_new_value + 1; never backward.
-- Returns the last value afterwards. Needs UPDATE on the sequence.
-- Execute: pgq_admin
create or replace function pgq.seq_setval(i_seq_name text, i_new_value bigint)
returns bigint
language plpgsql strict set search_path = pg_catalog, pg_temp as $$
declare
    _current bigint := pgq.seq_getval(i_seq_name);
begin
    if _current >= i_new_value then
        return _current;
    end if;
    return pg_catalog.setval(pgq.quote_fqname(i_seq_name)::pg_catalog.regclass, i_new_value);
end;
$$;
