-- Lists the sequences of a set in order of registration.
-- Execute: londiste_reader, londiste_writer
create or replace function londiste.get_seq_list(
    in i_queue_name text,
    out seq_name text,
    out last_value bigint,
    out local boolean)
returns setof record as $$
begin
    return query
        select s.seq_name, s.last_value, s.local
        from londiste.seq_info s
        where s.queue_name = i_queue_name
        order by s.nr, s.seq_name;
end;
$$ language plpgsql strict set search_path = pg_catalog, pg_temp;
