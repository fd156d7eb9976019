import type { Database } from "@skytools/skytools";

/** Events of a queue after a tick. */
export interface EventsAfter {
  readonly eventCount: bigint;
  /** of these, in no batch yet */
  readonly unbatchedCount: bigint;
}

/** Counts what a queue holds after a tick; leaves no transaction open. */
export async function countEventsAfter(
  db: Database,
  queueName: string,
  tickId: bigint,
): Promise<EventsAfter> {
  const sql = await db.queryValue<string>(
    `select format(
        'select count(*) as "eventCount", count(*) filter (where not txid_visible_in_snapshot(ev_txid, %L)) as "unbatchedCount"'
        ' from %s where ev_txid >= %s and not txid_visible_in_snapshot(ev_txid, %L)',
        n.tick_snapshot, pgq.quote_fqname(q.queue_data_pfx), txid_snapshot_xmin(t.tick_snapshot), t.tick_snapshot)
       from pgq.queue q
       join pgq.tick t on t.tick_queue = q.queue_id and t.tick_id = $2::int8
       join lateral (select tick_snapshot from pgq.tick where tick_queue = q.queue_id
                      order by tick_id desc limit 1) n on true
      where q.queue_name = $1`,
    [queueName, tickId],
  );
  const counts = await db.queryOne<{ eventCount: bigint; unbatchedCount: bigint }>(sql!);
  await db.commit();
  return counts;
}
