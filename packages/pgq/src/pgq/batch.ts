import type { Database } from "@skytools/skytools";
import type { BatchCollection, BatchInfo } from "../batch.ts";
import { call, callInt } from "./call.ts";

interface NextBatchRow {
  batch_id: bigint | null;
  cur_tick_id: bigint;
  prev_tick_id: bigint;
  cur_tick_time: string;
  prev_tick_time: string;
  cur_tick_event_seq: bigint | null;
  prev_tick_event_seq: bigint | null;
}

/** Opens the next batch of a consumer. Safe to repeat: the same open batch is returned until it is finished.
 * @returns undefined when no batch is complete yet
 * @throws DatabaseError when the consumer is not registered ("Not subscriber to queue") */
export async function nextBatch(
  db: Database,
  queueName: string,
  consumerName: string,
  collection: BatchCollection = {},
): Promise<BatchInfo | undefined> {
  const row = await db.queryOne<NextBatchRow>(
    "select * from pgq.next_batch_custom($1, $2, $3::interval, $4::int4, $5::interval)",
    [
      queueName,
      consumerName,
      collection.minLag ?? null,
      collection.minCount ?? null,
      collection.minInterval ?? null,
    ],
  );
  if (row.batch_id === null) return undefined;
  return {
    batchId: row.batch_id,
    tickId: row.cur_tick_id,
    previousTickId: row.prev_tick_id,
    tickTime: row.cur_tick_time,
    previousTickTime: row.prev_tick_time,
    tickEventSeq: row.cur_tick_event_seq,
    previousTickEventSeq: row.prev_tick_event_seq,
  };
}

/** Closes a batch and moves the consumer's position.
 * @returns false when that batch is not open any more (somebody closed or repositioned it) */
export async function finishBatch(db: Database, batchId: bigint): Promise<boolean> {
  return (await callInt(db, "select pgq.finish_batch($1::int8) as value", [batchId])) === 1;
}

/** The SELECT that returns the events of an open batch: the ten columns of `eventColumns`, ordered by id. */
export async function batchEventSql(db: Database, batchId: bigint): Promise<string> {
  return call<string>(db, "select pgq.batch_event_sql($1::int8) as value", [batchId]);
}

/** What an open batch is, for those that got only its number. @returns undefined when it is not open */
export async function getBatchInfo(db: Database, batchId: bigint): Promise<BatchInfo | undefined> {
  const row = await db.queryMaybe<{
    prev_tick_id: bigint | null;
    tick_id: bigint | null;
    batch_start: string;
    batch_end: string;
    seq_start: bigint | null;
    seq_end: bigint | null;
  }>("select * from pgq.get_batch_info($1::int8)", [batchId]);
  if (row === undefined || row.tick_id === null || row.prev_tick_id === null) return undefined;
  return {
    batchId,
    tickId: row.tick_id,
    previousTickId: row.prev_tick_id,
    tickTime: row.batch_end,
    previousTickTime: row.batch_start,
    tickEventSeq: row.seq_end,
    previousTickEventSeq: row.seq_start,
  };
}

/** Parks an event of an open batch; it is delivered again to this consumer alone, out of order. Beyond the queue's retry_limit
 * it becomes a failed event instead.
 * @returns false when it is parked or failed already */
export async function retryEvent(
  db: Database,
  batchId: bigint,
  eventId: bigint,
  delaySeconds: number,
): Promise<boolean> {
  const sql = "select pgq.event_retry($1::int8, $2::int8, $3::int4) as value";
  return (await callInt(db, sql, [batchId, eventId, delaySeconds])) === 1;
}

/** Takes an event out of an open batch, for whoever reads that batch from now on; it stays in the queue.
 * @returns false when it is out already
 * @throws DatabaseError "event not found" when the batch has no such event or is not open */
export async function deleteEvent(db: Database, batchId: bigint, eventId: bigint): Promise<boolean> {
  return (await callInt(db, "select pgq.del_event($1::int8, $2::int8) as value", [batchId, eventId])) === 1;
}
