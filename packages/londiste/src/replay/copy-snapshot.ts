import type { Database } from "@skytools/skytools";
import { quoteLiteral, Snapshot } from "@skytools/skytools";

/** True when every transaction that a copy has seen was over at the tick. Events of later batches are then all later than the
 * copied rows, and the copy's snapshot has done its duty.
 * @param tick snapshot of the tick at which a batch ended
 * @param copy snapshot in which the rows were read, of the same database
 * Source: spec/londiste.md 7.3 "Correct design" */
export function coversCopy(tick: Snapshot, copy: Snapshot): boolean {
  if (tick.xmax < copy.xmax) return false;
  for (const running of tick.running) {
    if (copy.contains(running)) return false;
  }
  return true;
}

/** The snapshot of a tick. */
export async function tickSnapshot(
  source: Database,
  queueName: string,
  tickId: bigint,
): Promise<Snapshot | undefined> {
  const text = await source.queryValue<string>(
    `select t.tick_snapshot::text from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue
      where q.queue_name = $1 and t.tick_id = $2`,
    [queueName, tickId],
  );
  return text === undefined ? undefined : Snapshot.parse(text);
}

/** True when no event after a tick is in the copied rows already: the copy's snapshot is not needed from there on. False also
 * when that cannot be told.
 * @param tickId end of the last batch that was replayed
 * @param copy text of the snapshot in which the rows were read, of the same database */
export async function isCopySettled(
  source: Database,
  queueName: string,
  table: string,
  tickId: bigint,
  copy: string,
): Promise<boolean> {
  const queue = await readableQueue(source, queueName, tickId);
  return queue !== undefined && !(await hasEvents(source, queue, table, Snapshot.parse(copy)));
}

/** The newest tick, if no event of the table lies between a tick and that one: a table that stands at the former is also what it has
 * to be at every tick up to the latter.
 * @param tickId end of the last batch that was replayed, which the queue still holds for the caller
 * @returns undefined also when that cannot be told */
export async function quietUntil(
  source: Database,
  queueName: string,
  table: string,
  tickId: bigint,
): Promise<bigint | undefined> {
  const queue = await readableQueue(source, queueName, tickId);
  if (queue === undefined) return undefined;
  const isQuiet = !(await hasEvents(source, queue, table, Snapshot.parse(queue.newestSnapshot)));
  return isQuiet ? queue.newestTick : undefined;
}

/** A queue from a tick on. */
interface QueuePart {
  /** the table that has all events, quoted */
  readonly events: string;
  /** of the tick */
  readonly snapshot: string;
  readonly newestTick: bigint;
  readonly newestSnapshot: string;
}

/** @returns undefined when the queue does not have the tick any more, or keeps its events from this user */
async function readableQueue(
  source: Database,
  queueName: string,
  tickId: bigint,
): Promise<QueuePart | undefined> {
  const part = await source.queryMaybe<QueuePart & { is_readable: boolean }>(
    `select e.events, pg_catalog.has_table_privilege(e.events, 'select') as is_readable,
            t.tick_snapshot::text as snapshot, n.tick_id as "newestTick", n.tick_snapshot::text as "newestSnapshot"
       from pgq.queue q
       join pgq.tick t on t.tick_queue = q.queue_id and t.tick_id = $2
      cross join lateral (select n.tick_id, n.tick_snapshot from pgq.tick n
                           where n.tick_queue = q.queue_id order by n.tick_queue desc, n.tick_id desc limit 1) n
      cross join lateral (select pgq.quote_fqname(q.queue_data_pfx) as events) e
      where q.queue_name = $1`,
    [queueName, tickId],
  );
  return part?.is_readable === true ? part : undefined;
}

/** Whether there are events of a table that a snapshot shows and that of the tick does not. They lie in transactions that began
 * between the two, and in those that were open at the tick: both are looked up, however old an open transaction is. */
async function hasEvents(
  source: Database,
  { events, snapshot }: QueuePart,
  table: string,
  end: Snapshot,
): Promise<boolean> {
  const start = Snapshot.parse(snapshot);
  const wereOpen = [...start.running].filter((txid) => end.contains(txid));
  const found = await source.queryValue<boolean>(
    `select exists (select from ${events}
              where ev_txid >= $1::int8 and ev_txid < $2::int8 and ev_extra1 = $3
                and txid_visible_in_snapshot(ev_txid, $4::txid_snapshot))
         or exists (select from ${events} where ev_txid = any ($5::int8[]) and ev_extra1 = $3)`,
    [start.xmax, end.xmax, table, String(end), wereOpen],
  );
  return found !== false;
}

/** Condition over event columns: the event's effect was in the rows when they were copied. */
export function copiedAlready(table: string, snapshot: string): string {
  return `(ev_extra1 = ${quoteLiteral(table)} and txid_visible_in_snapshot(ev_txid, ${quoteLiteral(snapshot)}::txid_snapshot))`;
}
