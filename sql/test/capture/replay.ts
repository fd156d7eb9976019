import type { Database } from "@skytools/skytools";

/** Installs replay(queue, target): applies a queue's JSON events, in order of their ids, to a table, and fails where an
 * insert meets its row, or an update or delete does not meet exactly one. */
export const replayFunction = `
create table replayed (queue text primary key, ev_id int8 not null);
create function replay(i_queue text, i_target regclass) returns int language plpgsql as $$
declare
    _event record;
    _type json;
    _count int;
    _total int := 0;
    _where text;
begin
    insert into replayed values (i_queue, 0) on conflict do nothing;
    for _event in execute format('select * from %s where ev_id > %s order by ev_id',
        (select queue_data_pfx from pgq.queue where queue_name = i_queue),
        (select ev_id from replayed where queue = i_queue))
    loop
        update replayed set ev_id = _event.ev_id where queue = i_queue;
        _type := _event.ev_type::json;
        _total := _total + 1;
        if _type ->> 'op' = 'TRUNCATE' then
            execute format('truncate %s', i_target);
            continue;
        end if;
        select string_agg(format('%I = %L', k, _event.ev_data::json ->> k), ' and ') into _where
          from json_array_elements_text(_type -> 'pkey') k;
        if _type ->> 'op' = 'INSERT' then
            execute (select format('insert into %s (%s) overriding system value values (%s)', i_target,
                                   string_agg(quote_ident(key), ', '), string_agg(quote_nullable(value), ', '))
                       from json_each_text(_event.ev_data::json));
        elsif _type ->> 'op' = 'UPDATE' then
            execute (select format('update %s set %s where %s', i_target,
                                   string_agg(format('%I = %L', key, value), ', '), _where)
                       from json_each_text(_event.ev_data::json));
        else
            execute format('delete from %s where %s', i_target, _where);
        end if;
        get diagnostics _count = row_count;
        if _count <> 1 then
            raise exception 'event % % % met % rows', _event.ev_id, _event.ev_type, _event.ev_data, _count;
        end if;
    end loop;
    return _total;
end $$;`;

/** The rows in which two tables differ, as text with `-` or `+` before it. */
export async function difference(db: Database, source: string, target: string): Promise<string[]> {
  const rows = await db.query<{ line: string }>(
    `select '-' || r::text as line from (select s::text as r from ${source} s except all select t::text from ${target} t) a
      union all
     select '+' || r::text from (select t::text as r from ${target} t except all select s::text from ${source} s) b`,
  );
  return rows.map((row) => row.line);
}
