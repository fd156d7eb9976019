-- Bookkeeping of the set form for statements that are logged while a DELETE or UPDATE of the same table has begun and is
-- not logged yet: parts of one command, or statements of a function that the command calls.
--
-- The state is a list of what happened to the table since, with blanks between: D and U, a DELETE or UPDATE has begun; a
-- number, events with higher ids have to come behind those that have begun before it.

-- Brings the order of events in line after a statement was logged.
--
-- Parameters: i_queue; i_state; i_operation, just logged; i_mark, an event id from before it was logged
-- Returns: the new state, empty when nothing is open any more
-- Execute: none
create or replace function pgq._capture_close(i_queue text, i_state text, i_operation text, i_mark bigint)
returns text as $$
declare
    _tokens text[] := string_to_array(i_state, ' ');
    _begun integer;
    _late bigint;
    _new_late bigint;
    _queue record;
begin
    select * into _queue from pgq.queue q where q.queue_name = i_queue;
    if i_operation <> 'INSERT' then
        _begun := (array_positions(_tokens, left(i_operation, 1)))[
                      cardinality(array_positions(_tokens, left(i_operation, 1)))];
        _late := (select min(t::bigint) from unnest(_tokens[_begun + 1:]) t where t ~ '^\d');
        if _late is not null then
            -- what has to come behind a DELETE need not come behind it again; an UPDATE may have to move itself
            _new_late := case i_operation when 'DELETE' then nextval(_queue.queue_event_seq::regclass) else i_mark end;
            perform pgq._capture_move(_queue.queue_data_pfx, _queue.queue_event_seq, _late, i_mark);
        end if;
        _tokens := _tokens[:_begun - 1] || array(select t from unnest(_tokens[_begun + 1:]) t where t !~ '^\d')
                   || array_remove(array[_new_late::text], null);
    end if;
    if i_operation <> 'DELETE' and _tokens <> '{}' and _tokens[cardinality(_tokens)] !~ '^\d' then
        _tokens := _tokens || i_mark::text;
    end if;
    return case when _tokens && '{D,U}' then array_to_string(_tokens, ' ') else '' end;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;

-- Gives new ids, in the same order, to this transaction's events with ids between i_late and i_mark.
-- Execute: none
create or replace function pgq._capture_move(i_data_pfx text, i_event_seq text, i_late bigint, i_mark bigint)
returns void as $$
begin
    execute format(
        'update %1$s e set ev_id = m.new_id from ('
        'select o.ev_id, nextval($1) as new_id from ('
        'select ev_id from %1$s where ev_txid = $2 and ev_id > $3 and ev_id < $4 order by ev_id offset 0) o) m '
        'where e.ev_txid = $2 and e.ev_id = m.ev_id', pgq.quote_fqname(i_data_pfx))
      using i_event_seq::regclass, txid_current(), i_late, i_mark;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp set standard_conforming_strings = on;
