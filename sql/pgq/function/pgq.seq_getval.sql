-- Reads a sequence's last value without advancing it. A sequence never used reads as its first value.
-- Execute: public
create or replace function pgq.seq_getval(i_seq_name text)
returns bigint
language plpgsql strict set search_path = pg_catalog, pg_temp as $$
declare
    _name text := pgq.quote_fqname(i_seq_name);
    _value bigint := pg_catalog.pg_sequence_last_value(_name::pg_catalog.regclass);
begin
    if _value is null then
        execute 'select last_value from ' || _name into strict _value;
    end if;
    return _value;
end;
$$;
