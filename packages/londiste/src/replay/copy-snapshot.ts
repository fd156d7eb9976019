import type { Database } from "@skytools/skytools";
import { quoteLiteral, Snapshot } from "@skytools/skytools";
import { hasEvents, queuePart } from "./queue-part.ts";

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

/** This is asked for each position that a copy comes to, while a long backlog may lie before it. */
const mostEventsRead = 10_000;

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
  const part = await queuePart(source, queueName, tickId);
  if (part === undefined) return false;
  return (await hasEvents(source, { ...part, end: Snapshot.parse(copy) }, table, mostEventsRead)) === false;
}

/** Condition over event columns: the event's effect was in the rows when they were copied. False, never NULL, for events that
 * are of no table. */
export function copiedAlready(table: string, snapshot: string): string {
  return `(ev_extra1 is not null and ev_extra1 = ${quoteLiteral(table)} and txid_visible_in_snapshot(ev_txid, ${quoteLiteral(snapshot)}::txid_snapshot))`;
}
