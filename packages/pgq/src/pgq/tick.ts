import type { Database } from "@skytools/skytools";
import { call } from "./call.ts";

/** Ticks every queue that is due. @returns number of ticks made. Only one ticker may run in a database. */
export async function tickAll(db: Database): Promise<bigint> {
  return call<bigint>(db, "select pgq.ticker() as value", []);
}

/** Makes a queue's next ticker round tick, and returns its newest tick: call again until that number grows. */
export async function forceTick(db: Database, queueName: string): Promise<bigint | undefined> {
  return db.queryValue<bigint>("select pgq.force_tick($1)", [queueName]);
}

/** Writes a tick that was made elsewhere, with this transaction's snapshot: the events must be committed before. */
export async function mirrorTick(
  db: Database,
  queueName: string,
  tickId: bigint,
  tickTime: string,
  eventSeq: bigint,
): Promise<void> {
  await db.query("select pgq.ticker($1, $2::int8, $3::timestamptz, $4::int8)", [
    queueName,
    tickId,
    tickTime,
    eventSeq,
  ]);
}

/** A queue's newest tick. */
export interface TickInfo {
  readonly tickId: bigint;
  readonly tickTime: string;
  readonly eventSeq: bigint | null;
  /** txid_snapshot text */
  readonly snapshot: string;
}

/** @returns undefined when the queue does not exist or has no tick */
export async function newestTick(db: Database, queueName: string): Promise<TickInfo | undefined> {
  const row = await db.queryMaybe<{
    tick_id: bigint;
    tick_time: string;
    tick_event_seq: bigint | null;
    tick_snapshot: string;
  }>(
    `select t.tick_id, t.tick_time, t.tick_event_seq, t.tick_snapshot::text as tick_snapshot
       from pgq.tick t join pgq.queue q on q.queue_id = t.tick_queue
      where q.queue_name = $1 order by t.tick_id desc limit 1`,
    [queueName],
  );
  if (row === undefined) return undefined;
  return {
    tickId: row.tick_id,
    tickTime: row.tick_time,
    eventSeq: row.tick_event_seq,
    snapshot: row.tick_snapshot,
  };
}

/** Time between a tick and the newest one of the queue, PostgreSQL interval text; undefined when there is no later one. */
export async function spanToNewestTick(
  db: Database,
  queueName: string,
  tickId: bigint,
): Promise<string | undefined> {
  return db.queryValue<string>(
    `select (n.tick_time - t.tick_time)::text
       from pgq.queue q
       join pgq.tick t on t.tick_queue = q.queue_id and t.tick_id = $2
       join pgq.tick n on n.tick_queue = q.queue_id and n.tick_time > t.tick_time
        and n.tick_id = (select l.tick_id from pgq.tick l where l.tick_queue = q.queue_id
                          order by l.tick_queue desc, l.tick_id desc limit 1)
      where q.queue_name = $1`,
    [queueName, tickId],
  );
}
