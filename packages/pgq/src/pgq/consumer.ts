import type { Database } from "@skytools/skytools";
import { callInt } from "./call.ts";

/** Registers a consumer at the newest tick. @returns false when it is registered already (its position stays) */
export async function registerConsumer(
  db: Database,
  queueName: string,
  consumerName: string,
): Promise<boolean> {
  const sql = "select pgq.register_consumer($1, $2) as value";
  return (await callInt(db, sql, [queueName, consumerName])) === 1;
}

/** Registers a consumer at a tick, or moves an existing one there and drops its open batch.
 * @throws DatabaseError "cannot reposition, tick not found" when the queue does not hold that tick */
export async function registerConsumerAt(
  db: Database,
  queueName: string,
  consumerName: string,
  tickId: bigint,
): Promise<boolean> {
  const sql = "select pgq.register_consumer_at($1, $2, $3::int8) as value";
  return (await callInt(db, sql, [queueName, consumerName, tickId])) === 1;
}

/** @returns number of subscriptions removed; 0 when there was none */
export async function unregisterConsumer(
  db: Database,
  queueName: string,
  consumerName: string,
): Promise<number> {
  return callInt(db, "select pgq.unregister_consumer($1, $2) as value", [queueName, consumerName]);
}

/** Position and lag of a consumer; intervals are PostgreSQL's text. */
export interface ConsumerInfo {
  readonly queueName: string;
  readonly consumerName: string;
  readonly lag: string | null;
  readonly lastSeen: string | null;
  readonly lastTick: bigint | null;
  readonly currentBatch: bigint | null;
  readonly nextTick: bigint | null;
  readonly pendingEvents: bigint | null;
}

interface ConsumerInfoRow {
  queue_name: string;
  consumer_name: string;
  lag: string | null;
  last_seen: string | null;
  last_tick: bigint | null;
  current_batch: bigint | null;
  next_tick: bigint | null;
  pending_events: bigint | null;
}

/** All consumers, those of a queue, or one; unknown names give an empty list. */
export async function getConsumerInfo(
  db: Database,
  queueName?: string,
  consumerName?: string,
): Promise<ConsumerInfo[]> {
  const rows = await db.query<ConsumerInfoRow>("select * from pgq.get_consumer_info($1::text, $2::text)", [
    queueName ?? null,
    consumerName ?? null,
  ]);
  return rows.map((row) => ({
    queueName: row.queue_name,
    consumerName: row.consumer_name,
    lag: row.lag,
    lastSeen: row.last_seen,
    lastTick: row.last_tick,
    currentBatch: row.current_batch,
    nextTick: row.next_tick,
    pendingEvents: row.pending_events,
  }));
}
