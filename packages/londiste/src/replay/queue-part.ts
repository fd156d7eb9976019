import { type Database, quoteLiteral, Snapshot } from "@skytools/skytools";

/** The events of a queue between two snapshots: what the second shows and the first does not. They lie in transactions that began
 * between the two, and in those that were open at the first: both are looked up, however old an open transaction is. */
export interface EventRange {
  /** the table that has all events of the queue, quoted */
  readonly events: string;
  readonly start: Snapshot;
  readonly end: Snapshot;
}

/** The events between two ticks. */
export interface QueuePart extends EventRange {
  /** the later one */
  readonly tickId: bigint;
  /** timestamptz text */
  readonly tickTime: string;
  /** how far event ids have come between the two ticks; null when they do not say */
  readonly eventIds: bigint | null;
}

interface QueuePartRow {
  events: string;
  is_readable: boolean;
  start: string;
  end: string;
  tick_id: bigint;
  tick_time: string;
  event_ids: bigint | null;
}

/** What a queue has after a tick.
 * @param lastTick where to end; default: the newest tick
 * @returns undefined when the queue does not have these ticks, or keeps its events from this user */
export async function queuePart(
  source: Database,
  queueName: string,
  firstTick: bigint,
  lastTick?: bigint,
): Promise<QueuePart | undefined> {
  const row = await source.queryMaybe<QueuePartRow>(
    `select e.events, pg_catalog.has_table_privilege(e.events, 'select') as is_readable,
            f.tick_snapshot::text as start, l.tick_snapshot::text as end, l.tick_id, l.tick_time::text,
            l.tick_event_seq - f.tick_event_seq as event_ids
       from pgq.queue q
       join pgq.tick f on f.tick_queue = q.queue_id and f.tick_id = $2
       join pgq.tick l on l.tick_queue = q.queue_id
        and l.tick_id = coalesce($3, (select n.tick_id from pgq.tick n where n.tick_queue = q.queue_id
                                       order by n.tick_queue desc, n.tick_id desc limit 1))
      cross join lateral (select pgq.quote_fqname(q.queue_data_pfx) as events) e
      where q.queue_name = $1`,
    [queueName, firstTick, lastTick ?? null],
  );
  if (row?.is_readable !== true) return undefined;
  return {
    events: row.events,
    start: Snapshot.parse(row.start),
    end: Snapshot.parse(row.end),
    tickId: row.tick_id,
    tickTime: row.tick_time,
    eventIds: row.event_ids,
  };
}

/** Counts the events of a table.
 * @param most where counting ends: a result above that may be too low */
export async function countEvents(
  source: Database,
  range: EventRange,
  table: string,
  most: number,
): Promise<number> {
  const limit = most + 1;
  const parts = places(range).map(
    (place) => `(select from ${range.events} where ${place} and ${ofTable(table)} limit ${limit})`,
  );
  const count = await source.queryValue<bigint>(
    `select count(*) from (${parts.join(" union all ")}) as found`,
  );
  return Number(count);
}

/** Whether a table has events in a range.
 * @param mostRead how many events to look at, of whatever table, in each of the places where they lie
 * @returns undefined when that does not tell */
export async function hasEvents(
  source: Database,
  range: EventRange,
  table: string,
  mostRead: number,
): Promise<boolean | undefined> {
  const parts = places(range).map(
    (place) =>
      `select count(*) > ${mostRead} as "isMore", count(*) filter (where ${ofTable(table)}) > 0 as "isFound"
         from (select ev_extra1, ev_owner from ${range.events} where ${place} order by ev_txid limit ${mostRead + 1}) as looked_at`,
  );
  const looks = await source.query<{ isMore: boolean; isFound: boolean }>(parts.join(" union all "));
  if (looks.some(({ isFound }) => isFound)) return true;
  return looks.some(({ isMore }) => isMore) ? undefined : false;
}

/** The events of a table as a query like that of a batch: its columns, by id. */
export function eventRangeSql(range: EventRange, table: string): string {
  const parts = places(range).map(
    (place) =>
      `select ev_id, ev_time, ev_txid, ev_retry, ev_type, ev_data, ev_extra1, ev_extra2, ev_extra3, ev_extra4
         from ${range.events} where ${place} and ${ofTable(table)}`,
  );
  return `${parts.join(" union all ")} order by 1`;
}

/** An event with an owner is a repeated one of another consumer. */
function ofTable(table: string): string {
  return `ev_extra1 = ${quoteLiteral(table)} and ev_owner is null`;
}

/** Conditions, one for each of the two places where the events lie. */
function places({ start, end }: EventRange): string[] {
  const isVisible = `txid_visible_in_snapshot(ev_txid, ${quoteLiteral(String(end))}::txid_snapshot)`;
  const later = `ev_txid >= ${start.xmax} and ev_txid < ${end.xmax} and ${isVisible}`;
  const wereOpen = [...start.running].filter((txid) => end.contains(txid));
  if (wereOpen.length === 0) return [later];
  return [later, `ev_txid = any ('{${wereOpen.join(",")}}'::int8[])`];
}
