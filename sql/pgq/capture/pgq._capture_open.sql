-- Bookkeeping of the set form: which DELETEs and UPDATEs of a table have begun in this transaction and are not logged
-- yet. The state is the text `count` or `count late`: number of them, and an event id after which events wait for them.

-- State after one more has begun. i_state: NULL or empty when there is none.
-- Execute: none
create or replace function pgq._capture_open(i_state text)
returns text as $$
begin
    if i_state operator(pg_catalog.<>) '' then
        return pg_catalog.regexp_replace(i_state, '^\d+', (pg_catalog.split_part(i_state, ' ', 1)::pg_catalog.int4
                                                           operator(pg_catalog.+) 1)::pg_catalog.text);
    end if;
    return '1';
end;
$$ language plpgsql immutable;

-- Called when a statement is about to be logged while something is open.
--
-- Parameters: i_queue, i_state (not empty), i_operation
-- Returns: o_state, the new state; o_late and o_mark: after logging, events with ids between them have to be moved behind
--   what was logged (NULL: none)
-- Execute: none
create or replace function pgq._capture_close(
    in i_queue text, in i_state text, in i_operation text, out o_state text, out o_late bigint, out o_mark bigint)
returns record as $$
declare
    _count integer := split_part(i_state, ' ', 1)::integer - case i_operation when 'INSERT' then 0 else 1 end;
    _sequence regclass := (select q.queue_event_seq::regclass from pgq.queue q where q.queue_name = i_queue);
begin
    o_late := nullif(split_part(i_state, ' ', 2), '')::bigint;
    if i_operation <> 'INSERT' and o_late is not null then
        o_mark := nextval(_sequence);
    elsif i_operation <> 'DELETE' and o_late is null and _count > 0 then
        o_late := nextval(_sequence);
    end if;
    o_state := case when _count > 0 then concat_ws(' ', _count, o_late) else '' end;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;

-- Gives new ids, in the same order, to this transaction's events with ids between i_late and i_mark.
-- Execute: none
create or replace function pgq._capture_move(i_queue text, i_late bigint, i_mark bigint)
returns void as $$
declare
    _queue record;
begin
    select * into _queue from pgq.queue q where q.queue_name = i_queue;
    execute format(
        'update %s e set ev_id = m.new_id from ('
        'select o.ev_id, nextval($1) as new_id from ('
        'select ev_id from %s where ev_txid = $2 and ev_id > $3 and ev_id < $4 order by ev_id offset 0) o) m '
        'where e.ev_txid = $2 and e.ev_id = m.ev_id',
        pgq.quote_fqname(_queue.queue_data_pfx), pgq.quote_fqname(_queue.queue_data_pfx))
      using _queue.queue_event_seq::regclass, txid_current(), i_late, i_mark;
end;
$$ language plpgsql set search_path = pg_catalog, pg_temp;
