import type { Database } from "@skytools/skytools";
import type { Finding } from "./compare-surfaces.ts";

/** Looks whether each queue has its tables, indexes and sequences.
 * Source: spec/sql-pgq.md 2.7 */
export async function checkQueueObjects(db: Database): Promise<Finding[]> {
  const rows = await db.query<{ what: string; name: string; queue: string; sql: string | null }>(`
    with part as (
      select q.queue_name as queue, q.queue_data_pfx || '_' || n as name
        from pgq.queue q cross join generate_series(0, q.queue_ntables - 1) n
    )
    select 'table' as what, p.name, p.queue, null as sql from part p where to_regclass(p.name) is null
    union all
    select 'index on ev_txid of table', p.name, p.queue,
           format('create index %I on %s (ev_txid);', split_part(p.name, '.', 2) || '_txid_idx', p.name)
      from part p
     where to_regclass(p.name) is not null
       and not exists (select from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
                        where i.indrelid = to_regclass(p.name) and a.attname = 'ev_txid' and i.indisvalid)
    union all
    select 'sequence', s.name, q.queue_name, format('create sequence %s; -- then set it past the highest number in use', s.name)
      from pgq.queue q cross join unnest(array[q.queue_event_seq, q.queue_tick_seq]) s (name)
     where to_regclass(s.name) is null
     order by 2, 1`);
  return rows.map(({ what, name, queue, sql }) => ({
    state: "missing",
    kind: "queue",
    name: `${what} ${name} of queue ${queue}`,
    ...(sql === null ? {} : { remedy: { sql } }),
  }));
}
