-- Publishes the local sequences of a root that have come within the buffer of what was published last: three buffers ahead,
-- and never more than half of what a sequence has left, so that none comes to its end elsewhere. One that was not published
-- yet has 0 there, which may be far above where it stands.
--
-- Parameters:
--   i_buffer   - number of values
--   i_seq_name - only this one; null: all
-- Raises: a warning for each of them that the database no longer has
-- Calls: pgq.seq_getval, pgq.insert_event
-- Execute: pgq_admin, londiste_writer
create or replace function londiste._publish_seqs(i_queue_name text, i_buffer bigint, i_seq_name text)
returns void as $$
declare
    _seq record;
    _value bigint;
    _published bigint;
    _next bigint;
    _unused text[];
    _reads text;
    _values bigint[];
begin
    -- The server has no function that tells where a sequence stands that was not used yet: it is read, all of them at once.
    select array_agg(s.seq_name order by s.nr),
           string_agg(format('(select last_value from %I.%I)', n.nspname, c.relname), ', ' order by s.nr)
        into _unused, _reads
        from londiste.seq_info s
        cross join lateral londiste.split_fqname(s.seq_name) f
        join pg_catalog.pg_namespace n on (n.nspname = f.schema_part)
        join pg_catalog.pg_class c on (c.relnamespace = n.oid and c.relname = f.name_part and c.relkind = 'S')
        where s.queue_name = i_queue_name and s.local and s.seq_name = coalesce(i_seq_name, s.seq_name)
            and pg_catalog.pg_sequence_last_value(c.oid) is null;
    if _unused is not null then
        execute 'select array[' || _reads || ']' into _values;
    end if;
    for _seq in
        select s.seq_name, s.last_value, c.oid, q.seqmax, pg_catalog.pg_sequence_last_value(c.oid) as current_value
        from londiste.seq_info s
        left join lateral londiste.split_fqname(s.seq_name) f on (true)
        left join pg_catalog.pg_namespace n on (n.nspname = f.schema_part)
        left join pg_catalog.pg_class c
            on (c.relnamespace = n.oid and c.relname = f.name_part and c.relkind = 'S')
        left join pg_catalog.pg_sequence q on (q.seqrelid = c.oid)
        where s.queue_name = i_queue_name and s.local and s.seq_name = coalesce(i_seq_name, s.seq_name)
        order by s.nr
    loop
        if _seq.oid is null then
            raise warning 'sequence % of queue % does not exist', _seq.seq_name, i_queue_name;
            continue;
        end if;
        _value := coalesce(_seq.current_value, _values[array_position(_unused, _seq.seq_name)],
            pgq.seq_getval(_seq.seq_name));
        _next := least(_value + i_buffer * 3, _value + (_seq.seqmax / 2 - _value / 2));
        _published := case when _seq.last_value = 0 then least(0, _value) else _seq.last_value end;
        if _value + i_buffer >= _published and _next > _published and _next <> _seq.last_value then
            perform pgq.insert_event(i_queue_name, 'londiste.update-seq',
                _next::text, _seq.seq_name, null, null, null);
            update londiste.seq_info s
                set last_value = _next
                where s.queue_name = i_queue_name and s.seq_name = _seq.seq_name;
        end if;
    end loop;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
