import type { Database } from "@skytools/skytools";
import type { BatchCollection, BatchInfo } from "./batch.ts";

/* The only file that spells pgq.* calls. None of these functions commits: the caller owns the transaction. Parameters are
 * cast because several of the functions are overloaded. Source of all: spec/sql-pgq.md section 3. */

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

/** Parks an event of an open batch; it is delivered again to this consumer alone, out of order.
 * @returns false when it is parked already */
export async function retryEvent(
  db: Database,
  batchId: bigint,
  eventId: bigint,
  delaySeconds: number,
): Promise<boolean> {
  const sql = "select pgq.event_retry($1::int8, $2::int8, $3::int4) as value";
  return (await callInt(db, sql, [batchId, eventId, delaySeconds])) === 1;
}

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

/** Settings and state of a queue; intervals and times are PostgreSQL's text, rates events a second. */
export interface QueueInfo {
  readonly queueName: string;
  readonly tableCount: number;
  readonly currentTable: number;
  readonly rotationPeriod: string;
  readonly switchTime: string;
  readonly hasExternalTicker: boolean;
  readonly isTickerPaused: boolean;
  readonly tickerMaxCount: number;
  readonly tickerMaxLag: string;
  readonly tickerIdlePeriod: string;
  readonly tickerLag: string | null;
  readonly eventsPerSecond: number | null;
  readonly newEvents: bigint | null;
  readonly lastTickId: bigint | null;
}

interface QueueInfoRow {
  queue_name: string;
  queue_ntables: number;
  queue_cur_table: number;
  queue_rotation_period: string;
  queue_switch_time: string;
  queue_external_ticker: boolean;
  queue_ticker_paused: boolean;
  queue_ticker_max_count: number;
  queue_ticker_max_lag: string;
  queue_ticker_idle_period: string;
  ticker_lag: string | null;
  ev_per_sec: number | null;
  ev_new: bigint | null;
  last_tick_id: bigint | null;
}

/** All queues ordered by name, or one; an unknown name gives an empty list. */
export async function getQueueInfo(db: Database, queueName?: string): Promise<QueueInfo[]> {
  const rows = await db.query<QueueInfoRow>("select * from pgq.get_queue_info($1::text)", [
    queueName ?? null,
  ]);
  return rows.map((row) => ({
    queueName: row.queue_name,
    tableCount: row.queue_ntables,
    currentTable: row.queue_cur_table,
    rotationPeriod: row.queue_rotation_period,
    switchTime: row.queue_switch_time,
    hasExternalTicker: row.queue_external_ticker,
    isTickerPaused: row.queue_ticker_paused,
    tickerMaxCount: row.queue_ticker_max_count,
    tickerMaxLag: row.queue_ticker_max_lag,
    tickerIdlePeriod: row.queue_ticker_idle_period,
    tickerLag: row.ticker_lag,
    eventsPerSecond: row.ev_per_sec,
    newEvents: row.ev_new,
    lastTickId: row.last_tick_id,
  }));
}

/** What a producer puts into a queue; the extras may be left out. */
export interface NewEvent {
  readonly type: string | null;
  readonly data: string | null;
  readonly extra1?: string | null | undefined;
  readonly extra2?: string | null | undefined;
  readonly extra3?: string | null | undefined;
  readonly extra4?: string | null | undefined;
}

/** Inserts one event. @returns its id
 * @throws DatabaseError when the queue does not exist or refuses inserts */
export async function insertEvent(db: Database, queueName: string, event: NewEvent): Promise<bigint> {
  return call<bigint>(db, "select pgq.insert_event($1, $2, $3, $4, $5, $6, $7) as value", [
    queueName,
    event.type,
    event.data,
    event.extra1 ?? null,
    event.extra2 ?? null,
    event.extra3 ?? null,
    event.extra4 ?? null,
  ]);
}

/** Name of the table that takes inserts now, quoted where needed; valid within the current transaction only. */
export async function currentEventTable(db: Database, queueName: string): Promise<string> {
  return call<string>(db, "select pgq.current_event_table($1) as value", [queueName]);
}

/** @returns true when the queue was created, false when it existed */
export async function createQueue(db: Database, queueName: string): Promise<boolean> {
  return (await callInt(db, "select pgq.create_queue($1) as value", [queueName])) === 1;
}

/** @param isForced drop it although it still has consumers */
export async function dropQueue(db: Database, queueName: string, isForced = false): Promise<void> {
  await db.query("select pgq.drop_queue($1, $2::bool)", [queueName, isForced]);
}

/** Gives a queue another name; its consumers and producers must use the new one.
 * @throws DatabaseError when there is none, when the new name is taken, and when a cascade or triggers use the queue */
export async function renameQueue(db: Database, queueName: string, newName: string): Promise<void> {
  await db.query("select pgq.rename_queue($1, $2)", [queueName, newName]);
}

/** Takes an event out of an open batch, for whoever reads that batch from now on; it stays in the queue.
 * @returns false when it is out already
 * @throws DatabaseError "event not found" when the batch has no such event or is not open */
export async function deleteEvent(db: Database, batchId: bigint, eventId: bigint): Promise<boolean> {
  return (await callInt(db, "select pgq.del_event($1::int8, $2::int8) as value", [batchId, eventId])) === 1;
}

/** Sets one queue parameter, for example "ticker_max_lag" to "100 milliseconds". */
export async function setQueueConfig(
  db: Database,
  queueName: string,
  parameter: string,
  value: string | null,
): Promise<void> {
  await db.query("select pgq.set_queue_config($1, $2, $3)", [queueName, parameter, value]);
}

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

/** Highest event id that transactions from `fromTxid` on have stored in a queue; undefined when there is none.
 * Reads the transaction index of the event tables, so its cost follows the number of those events. */
export async function highestEventId(
  db: Database,
  queueName: string,
  fromTxid: bigint,
): Promise<bigint | undefined> {
  const parent = await db.queryValue<string>(
    "select pgq.quote_fqname(queue_data_pfx) from pgq.queue where queue_name = $1",
    [queueName],
  );
  if (parent === undefined) return undefined;
  const highest = await db.queryValue<bigint | null>(
    `select max(ev_id) from ${parent} where ev_txid >= $1::int8`,
    [fromTxid],
  );
  return highest ?? undefined;
}

async function call<T>(db: Database, sql: string, parameters: readonly unknown[]): Promise<T> {
  const row = await db.queryOne<{ value: T }>(sql, parameters);
  return row.value;
}

async function callInt(db: Database, sql: string, parameters: readonly unknown[]): Promise<number> {
  return call<number>(db, sql, parameters);
}
