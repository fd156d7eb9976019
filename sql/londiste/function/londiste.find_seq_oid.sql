-- Finds a sequence by raw name.
--
-- Returns: oid, or null when there is none
-- Execute: public
create or replace function londiste.find_seq_oid(seq text)
returns oid as $$
begin
    return londiste.find_rel_oid(seq, 'S');
end;
$$ language plpgsql strict stable set search_path = pg_catalog, pg_temp;
